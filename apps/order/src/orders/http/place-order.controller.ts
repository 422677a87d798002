import { Controller, Headers, HttpCode, Post, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { currentTraceparent } from '@millrace/observability';
import { ApiProblems, type Problem, toOpenApi, ZodBody } from '@millrace/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { AcceptOrders, type PlacementOutcome } from '../accept-orders.ts';
import { PlaceOrder } from '../domain/place-order.ts';
import { pathOfOrder } from './links.ts';
import * as problems from './problems.ts';
import { PlacedOrderBody, placedOrderBody } from './representation.ts';
import { requestHashOf } from './request-hash.ts';

// Printable ASCII: what every client, proxy and log can carry unchanged.
const KEY = /^[\x20-\x7e]{1,255}$/;

@ApiTags('orders')
@Controller('orders')
export class PlaceOrderController {
  readonly #orders: AcceptOrders;

  constructor(orders: AcceptOrders) {
    this.#orders = orders;
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({
    operationId: 'placeOrder',
    summary: 'Place an order',
    description:
      'Accepts the order at the prices of this moment and answers once it is stored. What becomes of it is told by the order ' +
      'itself, its timeline and its stream. A repeated request, with the same `Idempotency-Key` and body, gets the first answer. ' +
      'Fields that are not described here are refused. Under overload, and when too many messages wait for Kafka, an order is turned ' +
      'away with 503 `too-busy`: `reason` says why, `Retry-After` when it makes sense to send the same request again.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: true,
    description: 'Names this order: a new UUID for each new order, the same one when a request is repeated',
    schema: { type: 'string', minLength: 1, maxLength: 255, examples: ['5f0c7d3a-4f0e-4f4c-9d0b-0c6f5b1f2a11'] },
  })
  @ApiResponse({
    status: 202,
    description: 'The order is accepted and will reach exactly one end',
    headers: { Location: { description: 'The path of the order', schema: { type: 'string' } } },
    schema: toOpenApi(PlacedOrderBody, 'output'),
  })
  @ApiProblems(400, 409, 413, 415, 422, 503)
  async place(
    @Headers('idempotency-key') keyHeader: string | undefined,
    @ZodBody(PlaceOrder) request: PlaceOrder,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof PlacedOrderBody>> {
    const key = keyHeader?.trim() ?? '';
    if (!KEY.test(key)) throw problems.invalidIdempotencyKey();
    const outcome = await this.#orders.place({
      key,
      requestHash: requestHashOf(request),
      request,
      traceparent: currentTraceparent(),
    });
    if (outcome.kind !== 'placed') throw problemOf(outcome, request);
    void reply.header('location', pathOfOrder(outcome.order.orderId));
    return placedOrderBody(outcome.order);
  }
}

function problemOf(outcome: Exclude<PlacementOutcome, { readonly kind: 'placed' }>, request: PlaceOrder): Problem {
  switch (outcome.kind) {
    case 'key-in-flight':
      return problems.keyInFlight();
    case 'key-of-another-request':
      return problems.keyOfAnotherRequest();
    case 'not-for-sale':
      return problems.notForSale(outcome.unsellable, request.currency);
    case 'too-large':
      return problems.totalTooLarge();
  }
}
