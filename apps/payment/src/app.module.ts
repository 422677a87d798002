import { MessagingModule } from '@millrace/messaging';
import { messagingOptions, serviceModule } from '@millrace/service';
import type { DynamicModule } from '@nestjs/common';
import type { PaymentConfig } from './config.ts';
import { PaymentsModule } from './payments/payments.module.ts';
import { PrismaModule } from './prisma/prisma.module.ts';

/** The payment service's table of contents. */
export const paymentModule = (config: PaymentConfig): DynamicModule =>
  serviceModule({
    name: 'payment',
    config,
    imports: [
      MessagingModule.forRoot(messagingOptions('payment', config)),
      PrismaModule,
      PaymentsModule.forRoot(config),
    ],
  });
