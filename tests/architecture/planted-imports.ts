/** A violation that must be refused by `rule`, and its nearest neighbour that breaks no rule. */
export interface Planted {
  readonly title: string;
  /** As oxlint names it. */
  readonly rule: string;
  readonly refused: PlantedFile;
  readonly accepted: PlantedFile;
}

interface PlantedFile {
  /** The folder; each file gets a name of its own. */
  readonly in: string;
  readonly code: string;
  /** The end of the name. */
  readonly suffix?: string;
}

const domain = 'apps/order/src/checkout/domain';
const store = 'apps/order/src/checkout/store';
const handlers = 'apps/order/src/checkout/handlers';
const http = 'apps/order/src/orders/http';
const contracts = 'libs/contracts/src/order';
const process = 'libs/messaging/src/process';

const reexport = (name: string, from: string): string => `export { ${name} } from '${from}';\n`;
const typeOnly = (name: string, from: string): string => `export type { ${name} } from '${from}';\n`;

const decision = (title: string, refusedCode: string): Planted => ({
  title: `a decision that imports ${title}`,
  rule: 'layers(imports)',
  refused: { in: domain, code: refusedCode },
  accepted: { in: handlers, code: refusedCode },
});

const layer = (title: string, refused: PlantedFile, accepted: PlantedFile): Planted => ({
  title,
  rule: 'layers(imports)',
  refused,
  accepted,
});

/** The table "who may import whom": one entry per forbidden edge. */
export const plantedImports: readonly Planted[] = [
  decision('Nest', reexport('Injectable', '@nestjs/common')),
  decision('PostgreSQL', reexport('Pool', 'pg')),
  decision('Prisma', reexport('PrismaPg', '@prisma/adapter-pg')),
  decision('generated code', reexport('PrismaClient', '../../generated/prisma/client.ts')),
  decision('a store', reexport('CheckoutStore', '../store/checkout.store.ts')),
  decision('the HTTP side', reexport('PlaceOrderController', '../../orders/http/place-order.controller.ts')),
  decision('a handler', reexport('PricesHandler', '../../catalog/handlers/prices.handler.ts')),
  decision('the whole of messaging', reexport('unchanged', '@millrace/messaging')),
  decision('the database library', typeOnly('Transaction', '@millrace/database')),
  decision("Node's own modules", reexport('randomUUID', 'node:crypto')),
  decision("Node's own modules under their old names", reexport('createHash', 'crypto')),
  decision('something lazily', `export const later = (): unknown => import('@nestjs/common');\n`),
  layer(
    'a decision that imports what it needs not, beside one that imports all it may',
    { in: domain, code: reexport('Logger', 'pino') },
    {
      in: domain,
      code: [
        reexport('OrderId', '@millrace/contracts'),
        reexport('unchanged', '@millrace/messaging/decisions'),
        reexport('impossible', '@millrace/messaging/process'),
        reexport('z', 'zod'),
        reexport('initial', './checkout.ts'),
        reexport('plainText', '../../orders/domain/plain-text.ts'),
      ].join(''),
    },
  ),
  layer(
    'a store that imports a handler',
    { in: store, code: reexport('CheckoutHandler', '../handlers/checkout.handler.ts') },
    { in: store, code: reexport('initial', '../domain/checkout.ts') },
  ),
  layer(
    'a store that imports the HTTP side',
    { in: store, code: reexport('PlaceOrderController', '../../orders/http/place-order.controller.ts') },
    { in: http, code: reexport('expiredDeadlines', '../../checkout/store/deadlines.ts') },
  ),
  layer(
    'a store that imports the process engine',
    { in: store, code: reexport('defineProcess', '@millrace/messaging/process') },
    { in: store, code: reexport('keyedStore', '@millrace/messaging') },
  ),
  layer(
    'a store that imports the process itself',
    { in: store, code: reexport('checkoutProcess', '../domain/checkout.process.ts') },
    { in: handlers, code: reexport('checkoutProcess', '../domain/checkout.process.ts') },
  ),
  layer(
    'a contract that imports Nest',
    { in: contracts, code: reexport('Injectable', '@nestjs/common') },
    { in: contracts, code: reexport('z', 'zod') },
  ),
  layer(
    'a contract that imports messaging',
    { in: contracts, code: typeOnly('Handler', '@millrace/messaging') },
    { in: contracts, code: reexport('OrderId', '../ids.ts') },
  ),
  layer(
    "a contract that imports Node's own modules",
    { in: contracts, code: reexport('Buffer', 'node:buffer') },
    { in: 'libs/messaging/src/outbox', code: reexport('Buffer', 'node:buffer') },
  ),
  layer(
    'a process engine that imports a database',
    { in: process, code: typeOnly('Transaction', '@millrace/database') },
    { in: process, code: typeOnly('Decision', '../handlers/decision.ts') },
  ),
  layer(
    'a process engine that imports the runtime',
    { in: process, code: reexport('backoffMs', '../runtime/pause.ts') },
    { in: process, code: typeOnly('Said', '@millrace/contracts') },
  ),
  layer(
    'a Kafka client anywhere in a service',
    { in: handlers, code: reexport('Kafka', 'kafkajs') },
    { in: 'libs/messaging/src/kafka', code: reexport('Kafka', 'kafkajs') },
  ),
  layer(
    'a Kafka client in the messaging library outside its kafka folder',
    { in: 'libs/messaging/src/runtime', code: reexport('Kafka', 'kafkajs') },
    { in: 'libs/messaging/src/runtime', code: typeOnly('Kafka', '../kafka/client.ts') },
  ),
  layer(
    'a Kafka client in a test',
    { in: 'tests/architecture', code: reexport('Kafka', 'kafkajs') },
    { in: 'tests/architecture', code: reexport('createKafka', '@millrace/messaging/kafka') },
  ),
  layer(
    'a service that takes a producer to publish by itself',
    { in: handlers, code: reexport('createKafka', '@millrace/messaging/kafka') },
    { in: handlers, code: reexport('Handles', '@millrace/messaging') },
  ),
  layer(
    'a service that imports another by its path',
    { in: handlers, code: reexport('decidePayment', '../../../../payment/src/payments/domain/decide-payment.ts') },
    { in: handlers, code: reexport('initial', '../domain/checkout.ts') },
  ),
  layer(
    'a service that imports another by its name',
    { in: handlers, code: reexport('decidePayment', '@millrace/payment') },
    { in: handlers, code: reexport('OrderId', '@millrace/contracts') },
  ),
  layer(
    'a test of a service that imports another',
    { in: 'apps/order/test', code: reexport('decidePayment', '../../payment/src/payments/domain/decide-payment.ts') },
    { in: 'apps/order/test', code: reexport('initial', '../src/checkout/domain/checkout.ts') },
  ),
  layer(
    'a library that imports a service by its name',
    { in: 'libs/service/src/http', code: reexport('appModule', '@millrace/order') },
    { in: 'libs/service/src/http', code: reexport('Health', '@millrace/observability') },
  ),
  layer(
    'a library that imports a service by its path',
    { in: 'libs/service/src/http', code: reexport('appModule', '../../../../apps/order/src/app.module.ts') },
    { in: 'libs/service/src/http', code: reexport('baseConfig', '../config/base-config.ts') },
  ),
  layer(
    'a library that builds on one above it',
    { in: 'libs/database/src', code: reexport('Handles', '@millrace/messaging') },
    { in: 'libs/messaging/src/runtime', code: reexport('Database', '@millrace/database') },
  ),
  layer(
    'a library that is imported by its path',
    { in: handlers, code: reexport('OrderId', '../../../../../libs/contracts/src/ids.ts') },
    { in: handlers, code: reexport('OrderId', '@millrace/contracts') },
  ),
  layer(
    'what helps tests in a service that runs',
    { in: handlers, code: reexport('given', '@millrace/messaging/testing') },
    { in: 'apps/order/test', code: reexport('given', '@millrace/messaging/testing') },
  ),
  layer(
    'the environment by way of a module',
    { in: handlers, code: reexport('env', 'node:process') },
    { in: 'infra/embedded/src', code: reexport('env', 'node:process') },
  ),
  {
    title: "Nest's own Kafka client",
    rule: 'eslint(no-restricted-imports)',
    refused: { in: handlers, code: reexport('ClientKafka', '@nestjs/microservices') },
    accepted: { in: handlers, code: reexport('EventPattern', '@nestjs/microservices') },
  },
  {
    title: 'an import cycle',
    rule: 'import(no-cycle)',
    refused: {
      in: 'apps/order/src/checkout/cycle',
      code: `import { there } from './there.ts';\nexport const here = (): number => there() + 1;\n`,
    },
    accepted: { in: 'apps/order/src/checkout/cycle', code: `export const alone = 1;\n` },
  },
];
