import { join } from 'node:path';
import { catalogue, encode, newId } from '@millrace/contracts';
import type { TestDatabase } from '@millrace/database/testing';
import type { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { serviceDatabase, serviceEnvironment } from '@millrace/service/testing';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';
import type { ShopEvent } from '../src/figures/domain/shop-events.ts';

/** A database of its own with the service's tables. */
export function analyticsDatabase(): Promise<TestDatabase> {
  return serviceDatabase(join(import.meta.dirname, '../prisma'));
}

/** A replica of the service on a free port. Whoever started it stops it. */
export function startAnalytics(database: TestDatabase, topics: TestTopics): Promise<RunningService> {
  const config = readConfig(serviceEnvironment(database.url, topics));
  return startService({ name: 'analytics', config, module: appModule(config) });
}

/** The record by which the event would have come. */
export function recordOf(event: ShopEvent) {
  const contract = catalogue.find(({ type }) => type === event.type);
  if (contract === undefined) throw new Error(`no contract is called ${event.type}`);
  const facts = { id: newId(), source: 'test', time: event.time, correlationId: event.correlationId };
  const { topic, key, value, headers } = encode(contract(event.body), facts);
  return { topic, key, value, headers: { ...headers } };
}
