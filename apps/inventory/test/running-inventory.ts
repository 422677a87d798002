import type { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { serviceEnvironment } from '@millrace/service/testing';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';
import type { InventoryDatabase } from './inventory-database.ts';

/** A replica of the service on a free port. Whoever started it stops it. */
export function startInventory(
  { url }: InventoryDatabase,
  topics: TestTopics,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const config = readConfig({ ...serviceEnvironment(url, topics), ...env });
  return startService({ name: 'inventory', config, module: appModule(config) });
}
