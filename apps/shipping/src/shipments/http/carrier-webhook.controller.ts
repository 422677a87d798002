import type { OrderId } from '@millrace/contracts';
import { localMessage, LocalTransactions } from '@millrace/messaging';
import { ApiProblems, Problem, ZodBody } from '@millrace/service';
import { Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { PrismaClient } from '../../generated/prisma/client.ts';
import { type CarrierReported, decideReport } from '../domain/decide-report.ts';
import { shipmentStore } from '../store/shipment.store.ts';

const CarrierReport = z.object({
  trackingNumber: z.string().min(1).max(64),
  event: z.enum(['collected', 'delivered']),
});
type CarrierReport = z.output<typeof CarrierReport>;

/** What a carrier reports about a parcel. Reports may be repeated and may overtake each other. */
@ApiTags('webhooks')
@Controller('/webhooks')
export class CarrierWebhookController {
  readonly #prisma: PrismaClient;
  readonly #transactions: LocalTransactions;

  constructor(prisma: PrismaClient, transactions: LocalTransactions) {
    this.#prisma = prisma;
    this.#transactions = transactions;
  }

  @Post('/carrier')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({ summary: 'A carrier collected or delivered a parcel; may be repeated' })
  @ApiNoContentResponse({ description: 'The report is recorded, now or before' })
  @ApiProblems(400, 404, 409, 503)
  async report(@ZodBody(CarrierReport) { trackingNumber, event }: CarrierReport): Promise<void> {
    const shipment = await this.#prisma.shipment.findUnique({ where: { trackingNumber } });
    if (shipment === null) {
      throw new Problem({
        status: 404,
        type: 'unknown-tracking-number',
        title: 'Unknown tracking number',
        detail: `No parcel has the tracking number ${trackingNumber}. A booking that is being recorded is known a moment later: try again.`,
      });
    }
    const orderId = shipment.orderId as OrderId;
    const refused = await this.#transactions.run(async ({ now, decide }) => {
      const report: CarrierReported = localMessage(
        'CarrierReported',
        orderId,
        { orderId, event },
        {
          source: 'shipping',
          now,
          correlationId: shipment.correlationId,
          ...(shipment.traceparent && { traceparent: shipment.traceparent }),
        },
      );
      const [decision] = await decide({ store: shipmentStore, decide: decideReport }, [report]);
      return decision?.refused;
    });
    if (refused !== undefined) {
      throw new Problem({
        status: 409,
        type: refused,
        title: 'The shop recalled this parcel',
        detail: `The parcel ${trackingNumber} was recalled before it was collected. Return it to the warehouse.`,
      });
    }
  }
}
