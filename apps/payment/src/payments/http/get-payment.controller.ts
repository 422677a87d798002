import { Currency, OrderId, PaymentId } from '@millrace/contracts';
import { ApiProblems, Problem, toOpenApi, ZodParam } from '@millrace/service';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { PrismaClient } from '../../generated/prisma/client.ts';

const minor = z.int().nonnegative();

const PaymentView = z.object({
  orderId: OrderId,
  paymentId: PaymentId.nullable().describe('null when nothing was ever held'),
  status: z.enum(['authorized', 'declined', 'captured', 'voided', 'refunded']),
  currency: Currency.nullable(),
  authorizedMinor: minor.describe('what was held, in minor units'),
  capturedMinor: minor.describe('what was taken, in minor units'),
  refundedMinor: minor.describe('what was given back, in minor units'),
  declineReason: z.enum(['card-declined', 'insufficient-funds']).nullable(),
  providerReference: z.string().nullable().describe("the provider's name for the money"),
  updatedAt: z.iso.datetime(),
});

/** What became of the money of an order, for people. */
@ApiTags('payments')
@Controller('/payments')
export class GetPaymentController {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  @Get('/:orderId')
  @ApiOperation({ summary: 'The payment of an order' })
  @ApiOkResponse({ description: 'The payment', schema: toOpenApi(PaymentView, 'output') })
  @ApiProblems(400, 404, 503)
  async get(@ZodParam('orderId', OrderId) orderId: OrderId): Promise<z.output<typeof PaymentView>> {
    const payment = await this.#prisma.payment.findUnique({ where: { orderId } });
    if (payment === null) {
      throw new Problem({
        status: 404,
        type: 'unknown-payment',
        title: 'Unknown payment',
        detail: `No payment of order ${orderId} is known here. Check the order's id; a payment is known once stock was reserved.`,
      });
    }
    return PaymentView.parse({
      ...payment,
      authorizedMinor: Number(payment.authorizedMinor),
      capturedMinor: Number(payment.capturedMinor),
      refundedMinor: Number(payment.refundedMinor),
      updatedAt: payment.updatedAt.toISOString(),
    });
  }
}
