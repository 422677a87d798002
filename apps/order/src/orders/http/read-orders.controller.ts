import { Controller, Get, Headers, HttpStatus, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CustomerId, OrderId } from '@millrace/contracts';
import { ApiProblems, toOpenApi, ZodParam, ZodQuery } from '@millrace/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { OrderReader } from '../store/order-reader.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { etagOf, isNoneOf } from './etag.ts';
import { nextPath, pageOf } from './links.ts';
import { cursor, limit, NEXT_LINK_HEADER } from './paging.ts';
import { invalidCursor, orderNotFound } from './problems.ts';
import { OrderBody, orderBody } from './representation.ts';

const ListOrders = z.strictObject({
  customer: CustomerId.describe('Whose orders, such as customer-1'),
  limit,
  cursor,
});
type ListOrders = z.infer<typeof ListOrders>;

const OrderList = z.object({
  orders: z.array(OrderBody),
  next: z.string().optional().describe('The path of the next page, if there is one; also in the header Link'),
});

@ApiTags('orders')
@Controller('orders')
export class ReadOrdersController {
  readonly #orders: OrderReader;

  constructor(orders: OrderReader) {
    this.#orders = orders;
  }

  @Get(':orderId')
  @ApiOperation({ operationId: 'getOrder', summary: 'How far an order is' })
  @ApiHeader({ name: 'If-None-Match', required: false, description: 'The ETag of the last answer' })
  @ApiResponse({
    status: 200,
    description: 'The order',
    headers: { ETag: { description: 'Changes whenever the order does', schema: { type: 'string' } } },
    schema: toOpenApi(OrderBody, 'output'),
  })
  @ApiResponse({ status: 304, description: 'The order is as `If-None-Match` knows it' })
  @ApiProblems(400, 404, 503)
  async get(
    @ZodParam('orderId', OrderId) orderId: OrderId,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const order = await this.#orders.find(orderId);
    if (order === undefined) throw orderNotFound(orderId);
    const representation = JSON.stringify(orderBody(order));
    const etag = etagOf(representation);
    void reply.header('etag', etag).header('cache-control', 'private, no-cache');
    if (!isNoneOf(ifNoneMatch, etag)) {
      void reply.status(HttpStatus.NOT_MODIFIED);
      return undefined;
    }
    void reply.header('content-type', 'application/json; charset=utf-8');
    return representation;
  }

  @Get()
  @ApiOperation({ operationId: 'listOrders', summary: "A customer's orders, newest first" })
  @ApiResponse({
    status: 200,
    description: 'One page of orders',
    headers: NEXT_LINK_HEADER,
    schema: toOpenApi(OrderList, 'output'),
  })
  @ApiProblems(400, 503)
  async list(
    @ZodQuery(ListOrders) query: ListOrders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof OrderList>> {
    const list = `orders of ${query.customer}`;
    const after = query.cursor === undefined ? undefined : decodeCursor(list, query.cursor);
    if (query.cursor !== undefined && !OrderId.safeParse(after).success) throw invalidCursor();
    const found = await this.#orders.ofCustomer(query.customer, query.limit + 1, after);
    const { items, lastKey } = pageOf(found, query.limit, ({ orderId }) => orderId);
    const orders = items.map(orderBody);
    if (lastKey === undefined) return { orders };
    const next = nextPath('/orders', { ...query, cursor: encodeCursor(list, lastKey) });
    void reply.header('link', `<${next}>; rel="next"`);
    return { orders, next };
  }
}
