import type { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { serviceEnvironment } from '@millrace/service/testing';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';
import type { OrderDatabase } from './order-database.ts';

/** A replica of the service on a free port. Whoever started it stops it. */
export function startOrder({ url }: OrderDatabase, topics: TestTopics): Promise<RunningService> {
  const config = readConfig(serviceEnvironment(url, topics));
  return startService({ name: 'order', config, module: appModule(config) });
}
