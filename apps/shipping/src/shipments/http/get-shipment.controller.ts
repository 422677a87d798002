import { Address, OrderId, Quantities, ShipmentId } from '@millrace/contracts';
import { ApiProblems, Problem, toOpenApi, ZodParam } from '@millrace/service';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { PrismaClient } from '../../generated/prisma/client.ts';

const ShipmentView = z.object({
  orderId: OrderId,
  shipmentId: ShipmentId.nullable().describe('null when no carrier ever took the parcel'),
  status: z.enum(['arranged', 'refused', 'dispatched', 'delivered', 'cancelled']),
  carrier: z.string().nullable(),
  trackingNumber: z.string().nullable(),
  refusalReason: z.enum(['postcode-not-served']).nullable(),
  lines: Quantities.nullable(),
  address: Address.nullable(),
  updatedAt: z.iso.datetime(),
});

/** Where the parcel of an order is, for people. */
@ApiTags('shipments')
@Controller('/shipments')
export class GetShipmentController {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  @Get('/:orderId')
  @ApiOperation({ summary: 'The shipment of an order' })
  @ApiOkResponse({ description: 'The shipment', schema: toOpenApi(ShipmentView, 'output') })
  @ApiProblems(400, 404, 503)
  async get(@ZodParam('orderId', OrderId) orderId: OrderId): Promise<z.output<typeof ShipmentView>> {
    const shipment = await this.#prisma.shipment.findUnique({ where: { orderId } });
    if (shipment === null) {
      throw new Problem({
        status: 404,
        type: 'unknown-shipment',
        title: 'Unknown shipment',
        detail: `No shipment of order ${orderId} is known here. Check the order's id; a shipment is known once the order was confirmed.`,
      });
    }
    return ShipmentView.parse({ ...shipment, updatedAt: shipment.updatedAt.toISOString() });
  }
}
