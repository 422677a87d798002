import type { AnyContract, BodyOf } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { LocalTransactions } from '@millrace/messaging';
import { heard } from '@millrace/messaging/testing';
import { createServiceApp } from '@millrace/service';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { appModule } from '../src/app.module.ts';
import { CheckoutDecider } from '../src/checkout/checkout.decider.ts';
import type { CheckoutMessage } from '../src/checkout/domain/checkout.ts';
import { readConfig } from '../src/config.ts';
import { type OrderDatabase, orderDatabase } from './order-database.ts';

/** A database of its own with two products for euros, one for dollars, and one that nobody can pay twice. */
export async function stockedDatabase(): Promise<OrderDatabase> {
  const order = await orderDatabase();
  await order.database.query(
    `INSERT INTO products (sku, name, price_minor, currency, version)
     VALUES ('MUG-BLUE', 'Blue mug', 1290, 'EUR', 1), ('TEA-GREEN', 'Green tea', 799, 'EUR', 1),
            ('POSTER-US', 'Poster', 2500, 'USD', 1), ('GOLD', 'All the gold', 9007199254740991, 'EUR', 1)`,
  );
  return order;
}

/** One replica of the order API on this database. It answers HTTP only: nobody consumes, and the outbox is not relayed. */
export async function startOrderApi(url: string, env: NodeJS.ProcessEnv = {}): Promise<OrderApi> {
  const config = readConfig({ DATABASE_URL: url, KAFKA_BROKERS: '127.0.0.1:1', LOG_LEVEL: 'silent', ...env });
  const app = await createServiceApp('order', appModule(config));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return new OrderApi(app);
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The parsed body; an empty object when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls one replica without a network. */
export class OrderApi {
  readonly app: NestFastifyApplication;
  readonly database: Database;

  constructor(app: NestFastifyApplication) {
    this.app = app;
    this.database = app.get(Database);
  }

  async call(
    method: 'GET' | 'POST',
    url: string,
    options: { readonly headers?: Record<string, string>; readonly body?: unknown } = {},
  ): Promise<Answer> {
    const { headers = {}, body } = options;
    const isText = typeof body === 'string';
    const answer = await this.app.inject({
      method,
      url,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: isText ? body : JSON.stringify(body) }),
    });
    const isJson = String(answer.headers['content-type']).includes('json');
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      body: isJson ? (JSON.parse(answer.body) as Record<string, unknown>) : {},
    };
  }

  get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call('GET', url, { headers });
  }

  place(body: unknown, key: string): Promise<Answer> {
    return this.call('POST', '/orders', { headers: { 'idempotency-key': key }, body });
  }

  /** What the order service does when it hears this message, without a broker. */
  async hear<C extends AnyContract>(contract: C, body: BodyOf<C>): Promise<void> {
    const decider = this.app.get(CheckoutDecider, { strict: false });
    const message = heard(contract, body, { source: contract.topic.name.split('.')[0] ?? '', time: new Date() });
    await this.app
      .get(LocalTransactions, { strict: false })
      .run((local) => local.decide(decider, [message as unknown as CheckoutMessage]));
  }

  async rows(
    table: 'orders' | 'checkouts' | 'idempotency_keys' | 'messaging.outbox',
  ): Promise<Record<string, unknown>[]> {
    const { rows } = await this.database.query(`SELECT * FROM ${table}`);
    return rows;
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.database.close();
  }
}

/** A request that every shop with blue mugs accepts. */
export const anOrder = {
  customerId: 'customer-1',
  lines: [{ sku: 'MUG-BLUE', quantity: 2 }],
  currency: 'EUR',
  shippingAddress: {
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    street: 'Marktplatz 1',
    postcode: '10115',
    city: 'Berlin',
    country: 'DE',
  },
  paymentToken: 'tok_approved',
};
