import { Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { OrderId } from '@millrace/contracts';
import { ApiProblems, toOpenApi, ZodParam } from '@millrace/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CancelOrder } from '../cancel-order.ts';
import { linksOf, pathOfOrder } from './links.ts';
import { cancellationRefused, orderNotFound } from './problems.ts';
import { OrderLinksBody, OrderStatusText } from './representation.ts';

const CancellationBody = z.object({ orderId: OrderId, status: OrderStatusText, links: OrderLinksBody });

@ApiTags('orders')
@Controller('orders/:orderId/cancellation')
export class CancellationController {
  readonly #cancelOrder: CancelOrder;

  constructor(cancelOrder: CancelOrder) {
    this.#cancelOrder = cancelOrder;
  }

  @Post()
  @HttpCode(202)
  @ApiOperation({
    operationId: 'cancelOrder',
    summary: 'Ask for the cancellation of an order',
    description:
      '202 means "asked for": money and stock are given back first, and a parcel that leaves at the same moment wins. How it ' +
      'ended is told by the status of the order. Asking again changes nothing.',
  })
  @ApiResponse({
    status: 202,
    description: 'The cancellation was asked for, now or before',
    headers: { Location: { description: 'The path of the order', schema: { type: 'string' } } },
    schema: toOpenApi(CancellationBody, 'output'),
  })
  @ApiProblems(400, 404, 409, 503)
  async cancel(
    @ZodParam('orderId', OrderId) orderId: OrderId,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof CancellationBody>> {
    const outcome = await this.#cancelOrder.cancel(orderId);
    switch (outcome.kind) {
      case 'unknown-order':
        throw orderNotFound(orderId);
      case 'refused':
        throw cancellationRefused(outcome.because, outcome.status);
      case 'asked':
        void reply.header('location', pathOfOrder(orderId));
        return { orderId, status: outcome.status, links: linksOf(orderId) };
    }
  }
}
