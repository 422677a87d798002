import { MessagingModule } from '@millrace/messaging';
import { messagingOptions, serviceModule } from '@millrace/service';
import type { DynamicModule } from '@nestjs/common';
import type { ShippingConfig } from './config.ts';
import { PrismaModule } from './prisma/prisma.module.ts';
import { ShipmentsModule } from './shipments/shipments.module.ts';

/** The shipping service's table of contents. */
export const shippingModule = (config: ShippingConfig): DynamicModule =>
  serviceModule({
    name: 'shipping',
    config,
    imports: [
      MessagingModule.forRoot(messagingOptions('shipping', config)),
      PrismaModule,
      ShipmentsModule.forRoot(config),
    ],
  });
