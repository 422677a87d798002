import { Database } from '@millrace/database';
import { createServiceApp } from '@millrace/service';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { appModule } from '../src/app.module.ts';
import { readConfig } from '../src/config.ts';

/** The service's HTTP API over a real database; what it says stays in the outbox. Whoever made it closes it. */
export interface InventoryApi {
  request(method: Method, path: string, body?: object, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

type Method = 'GET' | 'POST' | 'PUT';

export async function inventoryApi(databaseUrl: string): Promise<InventoryApi> {
  const config = readConfig({ DATABASE_URL: databaseUrl, KAFKA_BROKERS: '127.0.0.1:9', LOG_LEVEL: 'silent' });
  const app: NestFastifyApplication = await createServiceApp('inventory', appModule(config));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return {
    async request(method, url, body, headers = {}) {
      const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
      return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
    },
    async close() {
      await app.close();
      await app.get(Database).close();
    },
  };
}
