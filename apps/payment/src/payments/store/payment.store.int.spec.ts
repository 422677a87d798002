import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CapturePayment, newId, type OrderId, type PaymentId } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { driftOf, runMigrateCommand } from '@millrace/database/migrate';
import { heard } from '@millrace/messaging/testing';
import type { PaymentCommand } from '../domain/decide-payment.ts';
import type { Payment } from '../domain/payment.ts';
import { paymentStore } from './payment.store.ts';

const prismaDir = join(import.meta.dirname, '../../../prisma');
let scratch: TestDatabase;
let database: Database;

beforeAll(async () => {
  scratch = await createTestDatabase();
  await runMigrateCommand({ service: 'payment', url: scratch.url, prismaDir, log: () => {} });
  database = new Database({ url: scratch.url, applicationName: 'payment-store-test' });
});

afterAll(async () => {
  await database.close();
  await scratch.drop();
});

beforeEach(async () => {
  await database.query('TRUNCATE payment');
});

const about = (orderId: OrderId): PaymentCommand => heard(CapturePayment, { orderId });

const charge = () => ({
  paymentId: newId<PaymentId>(),
  reference: `ch_${newId()}`,
  amount: { amountMinor: 2 ** 40, currency: 'EUR' },
});

async function save(changes: readonly (readonly [OrderId, Payment])[]): Promise<void> {
  await database.transaction(async (tx) => {
    const messages = changes.map(([orderId]) => about(orderId));
    const states = await paymentStore.load(tx, messages, { lock: true });
    changes.forEach(([, payment], index) => {
      const message = messages[index];
      if (message !== undefined) states.change(message, payment);
    });
    await states.save(tx);
  });
}

async function load(orderIds: readonly OrderId[]): Promise<(Payment | undefined)[]> {
  const messages = orderIds.map(about);
  const states = await paymentStore.load(database, messages, { lock: false });
  return messages.map((message) => states.of(message));
}

describe('the payment store', () => {
  it('gives every kind of payment back as it was saved', async () => {
    const kept: readonly (readonly [OrderId, Payment])[] = [
      [newId<OrderId>(), { status: 'authorized', charge: charge() }],
      [newId<OrderId>(), { status: 'captured', charge: charge() }],
      [newId<OrderId>(), { status: 'refunded', charge: charge() }],
      [newId<OrderId>(), { status: 'voided', charge: charge() }],
      [newId<OrderId>(), { status: 'voided' }],
      [newId<OrderId>(), { status: 'declined', reason: 'insufficient-funds' }],
    ];
    await save(kept);
    expect(await load(kept.map(([orderId]) => orderId))).toEqual(kept.map(([, payment]) => payment));
  });

  it('knows nothing of an order that it never saw', async () => {
    expect(await load([newId<OrderId>()])).toEqual([undefined]);
  });

  it('adds and moves payments of one batch together', async () => {
    const held = newId<OrderId>();
    const isHeld: Payment = { status: 'authorized', charge: charge() };
    await save([[held, isHeld]]);

    const added = newId<OrderId>();
    await save([
      [held, { status: 'captured', charge: isHeld.charge }],
      [added, { status: 'declined', reason: 'card-declined' }],
    ]);
    expect(await load([held, added])).toEqual([
      { status: 'captured', charge: isHeld.charge },
      { status: 'declined', reason: 'card-declined' },
    ]);
    const { rows } = await database.query(
      'SELECT authorized_minor, captured_minor, refunded_minor FROM payment WHERE order_id = $1',
      [held],
    );
    expect(rows).toEqual([{ authorized_minor: String(2 ** 40), captured_minor: String(2 ** 40), refunded_minor: '0' }]);
  });

  it('refuses to add a payment that appeared since the batch was loaded', async () => {
    const orderId = newId<OrderId>();
    const outdated = database.transaction(async (tx) => {
      const states = await paymentStore.load(tx, [about(orderId)], { lock: true });
      await save([[orderId, { status: 'voided' }]]);
      states.change(about(orderId), { status: 'authorized', charge: charge() });
      await states.save(tx);
    });
    await expect(outdated).rejects.toMatchObject({ code: '23505' });
    expect(await load([orderId])).toEqual([{ status: 'voided' }]);
  });

  it('locks what it loads for a decision until the transaction ends', async () => {
    const orderId = newId<OrderId>();
    await save([[orderId, { status: 'voided' }]]);
    await database.transaction(async (tx) => {
      await paymentStore.load(tx, [about(orderId)], { lock: true });
      const other = database.query('SELECT 1 FROM payment WHERE order_id = $1 FOR UPDATE NOWAIT', [orderId]);
      await expect(other).rejects.toMatchObject({ code: '55P03' });
    });
  });
});

describe('the payment table', () => {
  const impossible: readonly (readonly [string, string])[] = [
    ['takes more than was held', `UPDATE payment SET status = 'captured', captured_minor = authorized_minor + 1`],
    [
      'gives back more than was taken',
      `UPDATE payment SET status = 'refunded', captured_minor = 1, refunded_minor = 2`,
    ],
    ['takes money of a payment that is not captured', 'UPDATE payment SET captured_minor = 1'],
    ['holds money without a reference', 'UPDATE payment SET provider_reference = NULL'],
    ['is declined without a reason', `INSERT INTO payment (order_id, status) VALUES (gen_random_uuid(), 'declined')`],
    ['has a status that nobody knows', `UPDATE payment SET status = 'lost'`],
  ];
  for (const [what, sql] of impossible) {
    it(`refuses a payment that ${what}, even if the code is wrong`, async () => {
      await save([[newId<OrderId>(), { status: 'authorized', charge: charge() }]]);
      await expect(database.query(sql)).rejects.toMatchObject({ code: '23514' });
    });
  }

  it('is what the Prisma schema says', async () => {
    expect(await driftOf(scratch.url, join(prismaDir, 'schema.prisma'))).toBe('');
  });
});
