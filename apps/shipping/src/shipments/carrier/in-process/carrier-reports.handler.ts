import { dues, type Handler, Handles } from '@millrace/messaging';
import { Controller } from '@nestjs/common';
import { decideReport } from '../../domain/decide-report.ts';
import { shipmentStore } from '../../store/shipment.store.ts';
import { dueReports } from './due-reports.ts';
import { InProcessCarrier } from './in-process-carrier.ts';

// A parcel that is collected a tenth of a second late goes unnoticed; looking costs one read of a small index.
const LOOK_EVERY_MS = 100;

/** Lets the in-process carrier report when its time has come. A real carrier calls POST /webhooks/carrier instead. */
@Controller()
export class CarrierReportsHandler {
  readonly #carrier: InProcessCarrier;

  constructor(carrier: InProcessCarrier) {
    this.#carrier = carrier;
  }

  @Handles('shipping.carrier-reports')
  reports(): Handler {
    return dues({
      store: shipmentStore,
      decide: decideReport,
      everyMs: LOOK_EVERY_MS,
      due: (tx, now, limit) => dueReports(tx, this.#carrier, now, limit),
    });
  }
}
