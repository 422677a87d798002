import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import type { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { serviceDatabase, serviceEnvironment } from '@millrace/service/testing';
import { paymentModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';

/** A payment service with a provider of its own. */
export interface RunningPayment {
  readonly service: RunningService;
  readonly storage: TestDatabase;
  /** Where the provider keeps its books. */
  readonly books: TestDatabase;
  /** Stops the service and drops its databases; the topics stay. */
  stop(): Promise<void>;
}

/** Creates the topics and starts the service on them. */
export async function runPayment(topics: TestTopics): Promise<RunningPayment> {
  const [storage, books] = await Promise.all([
    serviceDatabase(join(import.meta.dirname, '../prisma')),
    createTestDatabase(),
    topics.create(['payment.payments']),
  ]);
  const config = readConfig({
    ...serviceEnvironment(storage.url, topics),
    PAYMENT_PROVIDER_LEDGER_URL: books.url,
  });
  const service = await startService({ name: 'payment', config, module: paymentModule(config) });
  return {
    service,
    storage,
    books,
    async stop() {
      await service.stop();
      await Promise.all([storage.drop(), books.drop()]);
    },
  };
}
