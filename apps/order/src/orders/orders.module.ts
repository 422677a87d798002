import { Database } from '@millrace/database';
import { LocalTransactions, OutboxWatch } from '@millrace/messaging';
import { Health, LOGGER, type Logger, Metrics } from '@millrace/observability';
import { type DynamicModule, Module } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { CatalogModule } from '../catalog/catalog.module.ts';
import { ProductStore } from '../catalog/store/product.store.ts';
import { CheckoutDecider } from '../checkout/checkout.decider.ts';
import { PrismaClient } from '../generated/prisma/client.ts';
import { AcceptOrders } from './accept-orders.ts';
import { CancelOrder } from './cancel-order.ts';
import { ForgetKeys } from './forget-keys.ts';
import { CancellationController } from './http/cancellation.controller.ts';
import { IntakeHook } from './http/intake.hook.ts';
import { PlaceOrderController } from './http/place-order.controller.ts';
import { ProductsController } from './http/products.controller.ts';
import { ReadOrdersController } from './http/read-orders.controller.ts';
import { StatusStreams } from './http/status-streams.ts';
import { StatusWatcher } from './http/status-watcher.ts';
import { StreamController } from './http/stream.controller.ts';
import { TimelineController } from './http/timeline.controller.ts';
import { TraceLinks } from './http/trace-links.ts';
import { Intake, type IntakeLimits } from './intake.ts';
import { OrderReader } from './store/order-reader.ts';
import { ProductReader } from './store/product-reader.ts';
import { findStatusNews } from './store/status-reader.ts';

export interface OrdersOptions {
  /** How long a repeated placement gets its first answer. */
  readonly idempotencyKeyTtlHours: number;
  /** Event streams open at once. */
  readonly maxStreams: number;
  /** From which load on orders are turned away. */
  readonly limits: IntakeLimits;
  /** Where people look at traces; without it timelines have no links to them. */
  readonly traceUiUrl?: string | undefined;
}

/** The order API: accepts orders, tells how far they are, takes cancellations. `checkout` carries the orders on. */
@Module({})
export class OrdersModule {
  static forRoot(
    checkout: DynamicModule,
    { idempotencyKeyTtlHours, maxStreams, limits, traceUiUrl }: OrdersOptions,
  ): DynamicModule {
    return {
      module: OrdersModule,
      imports: [CatalogModule, checkout],
      controllers: [
        PlaceOrderController,
        ReadOrdersController,
        TimelineController,
        StreamController,
        CancellationController,
        ProductsController,
      ],
      providers: [
        {
          provide: AcceptOrders,
          inject: [LocalTransactions, ProductStore, CheckoutDecider, Metrics],
          useFactory: (
            transactions: LocalTransactions,
            products: ProductStore,
            decider: CheckoutDecider,
            metrics: Metrics,
          ) => new AcceptOrders(transactions, products, decider, metrics),
        },
        {
          provide: CancelOrder,
          inject: [Database, LocalTransactions, CheckoutDecider],
          useFactory: (database: Database, transactions: LocalTransactions, decider: CheckoutDecider) =>
            new CancelOrder(database, transactions, decider),
        },
        {
          provide: ForgetKeys,
          inject: [Database, LOGGER],
          useFactory: (database: Database, logger: Logger) => new ForgetKeys(database, logger, idempotencyKeyTtlHours),
        },
        {
          provide: PrismaClient,
          inject: [Database],
          useFactory: (database: Database) => new PrismaClient({ adapter: new PrismaPg(database.pool) }),
        },
        {
          provide: Intake,
          inject: [Database, AcceptOrders, Metrics],
          useFactory: (database: Database, orders: AcceptOrders, metrics: Metrics) => {
            // How much more than the limit waits matters for the time that is told, up to as much again.
            const watch = new OutboxWatch(database, { countUpTo: 2 * limits.outboxMessages });
            return new Intake({
              limits,
              outbox: () => watch.backlog,
              poolWaiters: () => database.pool.waitingCount,
              inWork: () => orders.inWork,
              metrics,
            });
          },
        },
        IntakeHook,
        { provide: TraceLinks, useFactory: () => new TraceLinks(traceUiUrl) },
        { provide: OrderReader, inject: [PrismaClient], useFactory: (prisma: PrismaClient) => new OrderReader(prisma) },
        {
          provide: ProductReader,
          inject: [PrismaClient],
          useFactory: (prisma: PrismaClient) => new ProductReader(prisma),
        },
        {
          provide: StatusWatcher,
          inject: [Database, LOGGER],
          useFactory: (database: Database, logger: Logger) =>
            new StatusWatcher((seen) => findStatusNews(database, seen), logger),
        },
        {
          provide: StatusStreams,
          inject: [StatusWatcher, Health, Metrics],
          useFactory: (watcher: StatusWatcher, health: Health, metrics: Metrics) =>
            new StatusStreams(watcher, health, metrics, maxStreams),
        },
      ],
    };
  }
}
