import { newId, OrderId, Sku } from '@millrace/contracts';
import { ApiProblems, Problem, toOpenApi, ZodBody, ZodParam, ZodPipe } from '@millrace/service';
import { Controller, Get, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { MAX_ON_HAND } from '../domain/stock-item.ts';
import { StockLevels } from '../store/stock-levels.ts';
import { StockQueries } from '../store/stock-queries.ts';
import { ReservationView, StockView, stockViewOf } from './stock-views.ts';
import { unknownProduct } from '../../catalog/http/unknown-product.ts';

const Restock = z.object({ add: z.int().positive().max(MAX_ON_HAND).describe('how many arrived') });
type Restock = z.infer<typeof Restock>;

const idempotencyKey = new ZodPipe(
  z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 visible ASCII characters')
    .optional(),
  'Idempotency-Key',
);

/** What is on the shelf, and for whom it is held. */
@ApiTags('stock')
@Controller()
export class StockController {
  readonly #levels: StockLevels;
  readonly #queries: StockQueries;

  constructor(levels: StockLevels, queries: StockQueries) {
    this.#levels = levels;
    this.#queries = queries;
  }

  @Get('stock/:sku')
  @ApiOperation({ summary: 'How many of a product there are' })
  @ApiResponse({ status: 200, schema: toOpenApi(StockView, 'output') })
  @ApiProblems(400, 404, 503)
  async stock(@ZodParam('sku', Sku) sku: Sku): Promise<StockView> {
    const item = await this.#queries.stockOf(sku);
    if (item === undefined) throw unknownProduct(sku);
    return stockViewOf(item);
  }

  @Get('reservations/:orderId')
  @ApiOperation({ summary: 'What is held for an order, or became of it' })
  @ApiResponse({ status: 200, schema: toOpenApi(ReservationView, 'output') })
  @ApiProblems(400, 404, 503)
  async reservation(@ZodParam('orderId', OrderId) orderId: OrderId): Promise<ReservationView> {
    const reservation = await this.#queries.reservationOf(orderId);
    if (reservation === undefined) throw unknownReservation(orderId);
    const { status, lines } = reservation;
    return {
      orderId,
      status,
      lines,
      ...(status === 'held' ? { heldUntil: reservation.heldUntil.toISOString() } : {}),
      ...(status === 'rejected' ? { missing: [...reservation.missing] } : {}),
    };
  }

  @Post('products/:sku/stock')
  @HttpCode(200)
  @ApiOperation({ summary: 'Add goods that arrived', description: 'Answers the new level.' })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'Under one key the goods arrive once.' })
  @ApiResponse({ status: 200, schema: toOpenApi(StockView, 'output') })
  @ApiProblems(400, 404, 413, 415, 422, 503)
  async restock(
    @ZodParam('sku', Sku) sku: Sku,
    @ZodBody(Restock) { add }: Restock,
    @Headers('idempotency-key') header: string | undefined,
  ): Promise<StockView> {
    const arrival = { sku, add, idempotencyKey: idempotencyKey.transform(header) ?? newId() };
    const outcome = await this.#levels.restock(arrival);
    switch (outcome.kind) {
      case 'restocked':
      case 'repeated':
        return stockViewOf(outcome.item);
      case 'unknown-product':
        throw unknownProduct(sku);
      case 'key-reused':
        throw keyReused();
      case 'too-much':
        throw tooMuch(sku);
    }
  }
}

function unknownReservation(orderId: OrderId): Problem {
  return new Problem({
    status: 404,
    type: 'unknown-reservation',
    title: 'Unknown reservation',
    detail: `Nothing was ever asked of the warehouse for order ${orderId}. Check the id, or ask again in a moment.`,
  });
}

function keyReused(): Problem {
  return new Problem({
    status: 422,
    type: 'idempotency-key-reused',
    title: 'Idempotency key reused',
    detail: 'The Idempotency-Key belongs to another restock. Send a new key for new goods.',
  });
}

function tooMuch(sku: Sku): Problem {
  return new Problem({
    status: 422,
    type: 'too-much-stock',
    title: 'Too much stock',
    detail: `There would be more than ${MAX_ON_HAND} of ${sku} on the shelf. Check the number.`,
  });
}
