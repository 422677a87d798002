import 'reflect-metadata';
import { Database } from '@millrace/database';
import { Handles, MessagingModule, MessagingServer } from '@millrace/messaging';
import { createLogger, Health, LOGGER, Metrics } from '@millrace/observability';
import { Controller, type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { z } from 'zod';
import type { Books } from './account-store.ts';
import { groups } from './contracts.ts';
import { handlerOf } from './handlers.ts';

const list = z.string().transform((text) => text.split(','));

const {
  AFTER_ATTEMPTS,
  ATTEMPTS,
  DATABASE_URL,
  FAILPOINT,
  HANDLERS,
  KAFKA_BROKERS,
  KAFKA_TOPIC_PREFIX,
  LOG_LEVEL,
  REPLICA,
} = z
  .object({
    DATABASE_URL: z.string(),
    KAFKA_BROKERS: list,
    KAFKA_TOPIC_PREFIX: z.string(),
    /** Names of handlers; none leaves a relay. */
    HANDLERS: z
      .string()
      .transform((text) =>
        text === '' ? [] : z.array(z.enum(['decide', 'perform', 'project'])).parse(text.split(',')),
      ),
    REPLICA: z.string(),
    FAILPOINT: z.string().optional(),
    ATTEMPTS: z.coerce.number().int().default(3),
    AFTER_ATTEMPTS: z.enum(['skip', 'hold']).default('skip'),
    LOG_LEVEL: z.string().default('info'),
  })
  .parse(process.env);

// What the suite waits for comes soon.
const RETRY = { firstDelayMs: 100, maxDelayMs: 500 };

// Several replicas of several scenarios share one server.
const POOL_SIZE = 4;

const books: Books = {
  replica: REPLICA,
  outside: new Database({ url: DATABASE_URL, applicationName: `${REPLICA}-outside`, poolSize: POOL_SIZE }),
};
const database = new Database({ url: DATABASE_URL, applicationName: REPLICA, poolSize: POOL_SIZE });

const controllers = HANDLERS.map((name) => {
  class HandlerController {
    handler() {
      return handlerOf(name, books, { ...RETRY, attempts: ATTEMPTS, then: AFTER_ATTEMPTS });
    }
  }
  const described = Object.getOwnPropertyDescriptor(HandlerController.prototype, 'handler');
  if (described) Handles(groups[name])(HandlerController.prototype, 'handler', described);
  Controller()(HandlerController);
  return HandlerController;
});

const provided = [
  { provide: Database, useValue: database },
  { provide: Health, useValue: new Health() },
  { provide: Metrics, useValue: new Metrics() },
  { provide: LOGGER, useValue: createLogger({ service: 'ledger', level: LOG_LEVEL as 'info' }) },
];

@Module({})
class Platform {}

@Module({})
class Ledger {}

const platform: DynamicModule = {
  module: Platform,
  global: true,
  providers: provided,
  exports: provided.map(({ provide }) => provide),
};

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(
  {
    module: Ledger,
    imports: [
      platform,
      MessagingModule.forRoot({
        service: 'ledger',
        brokers: KAFKA_BROKERS,
        topicPrefix: KAFKA_TOPIC_PREFIX,
        ...(FAILPOINT === undefined ? {} : { failpoint: FAILPOINT }),
      }),
    ],
    controllers,
  } as never,
  {
    logger: false,
    abortOnError: false,
    inject: [MessagingServer],
    useFactory: (strategy: MessagingServer) => ({ strategy }),
  },
);
const server = app.get(MessagingServer);

let stopping: Promise<void> | undefined;

function stop(code: number): void {
  stopping ??= (async () => {
    await app.close();
    await server.drain();
    await Promise.all([database.close(), books.outside.close()]);
    process.exit(code);
  })();
}

server.onFatal((error) => {
  process.stderr.write(`${error.stack ?? error.message}\n`);
  stop(1);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    process.stderr.write(`asked to stop by ${signal}\n`);
    stop(0);
  });
}
await app.listen();
