import { type DynamicModule, Module } from '@nestjs/common';
import type { ShippingConfig } from '../config.ts';
import { Carrier } from './carrier/carrier.ts';
import { CarrierReportsHandler } from './carrier/in-process/carrier-reports.handler.ts';
import { InProcessCarrier } from './carrier/in-process/in-process-carrier.ts';
import { ShipmentHandler } from './handlers/shipment.handler.ts';
import { CarrierWebhookController } from './http/carrier-webhook.controller.ts';
import { GetShipmentController } from './http/get-shipment.controller.ts';

/** The dispatcher: hears the shipping commands, asks the carrier, and takes its reports. */
@Module({})
export class ShipmentsModule {
  static forRoot(config: ShippingConfig): DynamicModule {
    return {
      module: ShipmentsModule,
      controllers: [ShipmentHandler, CarrierReportsHandler, GetShipmentController, CarrierWebhookController],
      providers: [
        {
          provide: InProcessCarrier,
          useFactory: () =>
            new InProcessCarrier({
              refusedPostcodes: config.CARRIER_REFUSED_POSTCODES,
              dispatchAfterMs: config.CARRIER_DISPATCH_AFTER_MS,
              deliverAfterMs: config.CARRIER_DELIVER_AFTER_MS,
            }),
        },
        { provide: Carrier, useExisting: InProcessCarrier },
      ],
    };
  }
}
