import { join } from 'node:path';
import { TestTopics } from '@millrace/messaging/testing';
import { type RunningService, startService } from '@millrace/service';
import { serviceDatabase, serviceEnvironment } from '@millrace/service/testing';
import { shippingModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';

/** A shipping service with topics of its own. */
export interface RunningShipping {
  readonly topics: TestTopics;
  readonly service: RunningService;
  /** Stops the service and leaves nothing of it. */
  stop(): Promise<void>;
}

/** Starts the service; `carrier` says how soon its carrier reports. */
export async function runShipping(
  carrier: Readonly<Record<string, string>>,
  topics = new TestTopics(),
): Promise<RunningShipping> {
  const [storage] = await Promise.all([
    serviceDatabase(join(import.meta.dirname, '../prisma')),
    topics.create(['shipping.shipments']),
  ]);
  const config = readConfig({ ...serviceEnvironment(storage.url, topics), ...carrier });
  const service = await startService({ name: 'shipping', config, module: shippingModule(config) });
  return {
    topics,
    service,
    async stop() {
      await service.stop();
      await topics.close();
      await storage.drop();
    },
  };
}
