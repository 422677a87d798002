import { randomUUID } from 'node:crypto';
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  NotFoundException,
  Param,
  Post,
  UnprocessableEntityException,
} from '@nestjs/common';
import { z } from 'zod';
import { PrismaClient } from '../generated/prisma/client.ts';
import { Publisher } from '../process/publisher.ts';
import { factsOf } from './order-facts.ts';

const text = z.string().min(1).max(200);

const PlaceOrder = z.strictObject({
  customerId: text,
  lines: z.array(z.strictObject({ sku: text, quantity: z.int().min(1).max(1000) })).min(1),
  currency: z.literal('EUR'),
  shippingAddress: z.strictObject({
    name: text,
    email: z.email(),
    street: text,
    postcode: text,
    city: text,
    country: z.string().length(2),
  }),
  paymentToken: text,
});

interface Accepted {
  readonly orderId: string;
  readonly status: string;
}

/** Orders over HTTP. */
@Controller('orders')
export class OrdersController {
  readonly #prisma: PrismaClient;
  readonly #publisher: Publisher;

  constructor(prisma: PrismaClient, publisher: Publisher) {
    this.#prisma = prisma;
    this.#publisher = publisher;
  }

  @Post()
  @HttpCode(202)
  async place(@Body() body: unknown, @Headers('idempotency-key') idempotencyKey?: string): Promise<Accepted> {
    const parsed = PlaceOrder.safeParse(body);
    if (!parsed.success) throw new BadRequestException(z.flattenError(parsed.error));
    if (idempotencyKey === undefined) throw new BadRequestException('The header Idempotency-Key is missing.');
    const { lines, shippingAddress, ...request } = parsed.data;

    const { order, isNew } = await this.#prisma.$transaction(async (tx) => {
      const known = await tx.order.findUnique({ where: { idempotencyKey } });
      if (known !== null) return { order: known, isNew: false };
      const products = await tx.product.findMany({ where: { sku: { in: lines.map(({ sku }) => sku) } } });
      const prices = new Map(products.map(({ sku, priceMinor }) => [sku, priceMinor]));
      const totalMinor = lines.reduce((sum, { sku, quantity }) => {
        const price = prices.get(sku);
        if (price === undefined) throw new UnprocessableEntityException(`${sku} is not for sale.`);
        return sum + price * quantity;
      }, 0);
      const data = { ...request, orderId: randomUUID(), idempotencyKey, lines, shippingAddress, totalMinor };
      const placed = await tx.order.create({ data: { ...data, status: 'placed', version: 1, placedAt: new Date() } });
      return { order: placed, isNew: true };
    });

    if (isNew) {
      await Promise.all([
        this.#publisher.emit('order-placed', factsOf(order)),
        this.#publisher.emit('reserve-stock', { orderId: order.orderId, at: new Date().toISOString(), lines }),
      ]);
    }
    return { orderId: order.orderId, status: order.status };
  }

  @Get(':orderId')
  async read(@Param('orderId') orderId: string): Promise<Accepted> {
    const order = await this.#prisma.order.findUnique({ where: { orderId } });
    if (order === null) throw new NotFoundException();
    return { orderId, status: order.status };
  }
}
