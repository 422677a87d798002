import { join } from 'node:path';
import { type AnyContract, type BodyOf, encode, type MessageId, newId } from '@millrace/contracts';
import type { TestDatabase } from '@millrace/database/testing';
import type { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { serviceDatabase, serviceEnvironment } from '@millrace/service/testing';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';

/** A database of its own with the service's tables. */
export function notificationDatabase(): Promise<TestDatabase> {
  return serviceDatabase(join(import.meta.dirname, '../prisma'));
}

/** A replica of the service on a free port. Whoever started it stops it. */
export function startNotification(
  database: TestDatabase,
  topics: TestTopics,
  smtpUrl: string,
): Promise<RunningService> {
  const config = readConfig({ ...serviceEnvironment(database.url, topics), SMTP_URL: smtpUrl });
  return startService({ name: 'notification', config, module: appModule(config) });
}

/** A record as the order service would send it. */
export function recordOf<C extends AnyContract>(contract: C, body: BodyOf<C>, id: MessageId = newId()) {
  const facts = { id, source: 'order', time: new Date(), correlationId: id };
  const { topic, key, value, headers } = encode(contract(body), facts);
  return { topic, key, value, headers: { ...headers } };
}
