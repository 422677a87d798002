import { Database } from '@millrace/database';
import { type Logger, LOGGER } from '@millrace/observability';
import { type DynamicModule, Module } from '@nestjs/common';
import type { PaymentConfig } from '../config.ts';
import { PaymentHandler } from './handlers/payment.handler.ts';
import { GetPaymentController } from './http/get-payment.controller.ts';
import { InProcessProvider } from './provider/in-process/in-process-provider.ts';
import { PaymentProvider } from './provider/payment-provider.ts';
import { StripeProvider } from './provider/stripe/stripe-provider.ts';

/** The cashier: hears the payment commands and asks the configured provider. */
@Module({})
export class PaymentsModule {
  static forRoot(config: PaymentConfig): DynamicModule {
    return {
      module: PaymentsModule,
      controllers: [PaymentHandler, GetPaymentController],
      providers: [
        {
          provide: PaymentProvider,
          inject: [LOGGER],
          useFactory: (logger: Logger) => providerOf(config, logger),
        },
      ],
    };
  }
}

function providerOf(config: PaymentConfig, logger: Logger): PaymentProvider {
  switch (config.PAYMENT_PROVIDER) {
    case 'in-process':
      return new InProcessProvider(
        new Database({
          url: config.PAYMENT_PROVIDER_LEDGER_URL,
          applicationName: 'payment-provider',
          // One writes at a time, whatever the load; the second is for the rare token that fails on purpose.
          poolSize: 2,
          onConnectionLost: (err) => logger.warn({ err }, "lost a session of the provider's ledger; another is opened"),
        }),
      );
    case 'stripe':
      return new StripeProvider({
        apiKey: config.STRIPE_API_KEY,
        apiBase: new URL(config.STRIPE_API_BASE),
        timeoutMs: config.STRIPE_TIMEOUT_MS,
      });
  }
}
