import { ArrangeShipment, CancelShipment } from '@millrace/contracts';
import { type Call, type Handler, Handles, performs } from '@millrace/messaging';
import { Controller } from '@nestjs/common';
import { Carrier } from '../carrier/carrier.ts';
import {
  decideShipment,
  type NeededCall,
  neededCall,
  type Outcome,
  type ShipmentCommand,
} from '../domain/decide-shipment.ts';
import { shipmentStore } from '../store/shipment.store.ts';

// A booking that failed may have been made. If its recall went past it, a parcel could leave that nobody pays: after some minutes a
// person looks.
const RETRY = { attempts: 10, firstDelayMs: 500, maxDelayMs: 60_000, then: 'hold' } as const;

/** Books and recalls parcels as the checkout asks for it. */
@Controller()
export class ShipmentHandler {
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  @Handles('shipping.shipments')
  shipments(): Handler {
    return performs({
      hears: [ArrangeShipment, CancelShipment],
      store: shipmentStore,
      perform: (shipment, command, call) => this.#ask(neededCall(shipment, command), command, call),
      callName: nameOfCall,
      decide: decideShipment,
      concurrency: this.#carrier.concurrency,
      retry: RETRY,
    });
  }

  async #ask(needed: NeededCall, command: ShipmentCommand, { idempotencyKey, signal }: Call): Promise<Outcome> {
    const call = { orderId: command.body.orderId, idempotencyKey, signal };
    switch (needed.kind) {
      case 'book':
        return this.#carrier.book({ ...call, parcel: needed.parcel });
      case 'cancel':
        return this.#carrier.cancel({ ...call, trackingNumber: needed.trackingNumber });
      case 'none':
        return { kind: 'nothing-to-do' };
    }
  }
}

function nameOfCall(...of: Parameters<typeof neededCall>): string | undefined {
  const { kind } = neededCall(...of);
  return kind === 'none' ? undefined : `carrier ${kind}`;
}
