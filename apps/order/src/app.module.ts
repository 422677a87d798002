import { MessagingModule } from '@millrace/messaging';
import { messagingOptions, serviceModule } from '@millrace/service';
import type { DynamicModule } from '@nestjs/common';
import { CatalogModule } from './catalog/catalog.module.ts';
import { CheckoutModule } from './checkout/checkout.module.ts';
import type { OrderConfig } from './config.ts';
import { OrdersModule } from './orders/orders.module.ts';

/** The order service: one import per capability. */
export function appModule(config: OrderConfig): DynamicModule {
  const checkout = CheckoutModule.forRoot({
    stockMs: config.CHECKOUT_STOCK_DEADLINE_MS,
    paymentMs: config.CHECKOUT_PAYMENT_DEADLINE_MS,
    dispatchMs: config.CHECKOUT_DISPATCH_DEADLINE_MS,
    recallMs: config.CHECKOUT_RECALL_DEADLINE_MS,
    captureMs: config.CHECKOUT_CAPTURE_DEADLINE_MS,
    undoMs: config.CHECKOUT_UNDO_DEADLINE_MS,
  });
  return serviceModule({
    name: 'order',
    config,
    imports: [
      MessagingModule.forRoot(messagingOptions('order', config)),
      CatalogModule,
      checkout,
      OrdersModule.forRoot(checkout, {
        idempotencyKeyTtlHours: config.IDEMPOTENCY_KEY_TTL_HOURS,
        maxStreams: config.MAX_STREAMS,
        limits: {
          outboxMessages: config.SHED_OUTBOX_MESSAGES,
          outboxAgeMs: config.SHED_OUTBOX_AGE_MS,
          poolWaiters: config.SHED_POOL_WAITERS,
          openPlacements: config.SHED_OPEN_PLACEMENTS,
        },
        traceUiUrl: config.TRACE_UI_URL,
      }),
    ],
  });
}
