import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AnyContract,
  AuthorizePayment,
  type BodyOf,
  CapturePayment,
  encode,
  type MessageId,
  newId,
  type OrderId,
  RefundPayment,
  VoidPayment,
} from '@millrace/contracts';
import { Database } from '@millrace/database';
import { TestTopics, until } from '@millrace/messaging/testing';
import { type RunningPayment, runPayment } from './running-payment.ts';

const GROUP = 'payment.payments';
const topics = new TestTopics();
let payment: RunningPayment;
let ledger: Database;

beforeAll(async () => {
  payment = await runPayment(topics);
  ledger = new Database({ url: payment.books.superuserUrl, applicationName: 'ledger-reader', poolSize: 1 });
});

afterAll(async () => {
  await ledger.close();
  await payment.stop();
  await topics.close();
});

const amount = { amountMinor: 4_200, currency: 'EUR' };

/** A command as the checkout would say it. */
function command<C extends AnyContract>(contract: C, body: BodyOf<C>, id: MessageId = newId()) {
  return {
    id,
    ...encode(contract(body), {
      id,
      source: 'order',
      time: new Date(),
      correlationId: `order ${contract.keyOf(body)}`,
    }),
  };
}

const authorize = (orderId: OrderId, paymentToken = 'tok_approved') =>
  command(AuthorizePayment, { orderId, amount, paymentToken });

/** What was said about an order so far, in order. */
async function said(orderId: OrderId) {
  const records = await topics.read('payment.events.v1');
  return records
    .filter(({ key }) => key === orderId)
    .map(({ headers, value }) => ({ headers, body: JSON.parse(String(value)) as Record<string, unknown> }));
}

function answered(orderId: OrderId, count: number) {
  return until(`${count} answers about the order`, async () => {
    const answers = await said(orderId);
    return answers.length >= count && answers;
  });
}

const typesOf = (answers: Awaited<ReturnType<typeof said>>) =>
  answers.map(({ headers }) => headers['ce_type']?.replace(/^millrace\.|\.v1$/g, ''));

async function charges(orderId: OrderId): Promise<string[]> {
  const { rows } = await ledger.query<{ kind: string }>('SELECT kind FROM charge WHERE order_id = $1 ORDER BY id', [
    orderId,
  ]);
  return rows.map(({ kind }) => kind);
}

describe('the payment service', () => {
  it('holds, takes and gives back the money of an order, and says so in the conversation of the order', async () => {
    const orderId = newId<OrderId>();
    const commands = [authorize(orderId), command(CapturePayment, { orderId }), command(RefundPayment, { orderId })];
    await topics.send(commands);
    const answers = await answered(orderId, 3);
    expect(typesOf(answers)).toEqual(['PaymentAuthorized', 'PaymentCaptured', 'PaymentRefunded']);
    for (const [index, { headers, body }] of answers.entries()) {
      expect(headers).toMatchObject({
        ce_source: '/millrace/payment',
        'correlation-id': `order ${orderId}`,
        'causation-id': commands[index]?.id,
      });
      expect(body).toMatchObject({ orderId, amount });
    }
    expect(await charges(orderId)).toEqual(['authorize', 'capture', 'refund']);
  });

  it('charges once when a command comes twice, under its own id or a new one, and answers a new one with the truth', async () => {
    const orderId = newId<OrderId>();
    const first = authorize(orderId);
    await topics.send([
      first,
      first,
      authorize(orderId),
      command(CapturePayment, { orderId }),
      command(CapturePayment, { orderId }),
    ]);
    const answers = await answered(orderId, 4);
    expect(typesOf(answers)).toEqual(['PaymentAuthorized', 'PaymentAuthorized', 'PaymentCaptured', 'PaymentCaptured']);
    expect(new Set(answers.map(({ body }) => body['paymentId'])).size).toBe(1);
    expect(await charges(orderId)).toEqual(['authorize', 'capture']);
  });

  it('answers a refused card with the reason', async () => {
    const [short, refused] = [newId<OrderId>(), newId<OrderId>()];
    await topics.send([authorize(short, 'tok_insufficient_funds'), authorize(refused, 'tok_declined')]);
    expect((await answered(short, 1))[0]?.body).toEqual({ orderId: short, reason: 'insufficient-funds' });
    expect((await answered(refused, 1))[0]?.body).toEqual({ orderId: refused, reason: 'card-declined' });
  });

  it('holds the money once when the provider fails before or after it acted', async () => {
    const [before, after] = [newId<OrderId>(), newId<OrderId>()];
    await topics.send([authorize(before, 'tok_error_then_success'), authorize(after, 'tok_error_after_charging')]);
    for (const orderId of [before, after]) {
      expect(typesOf(await answered(orderId, 1))).toEqual(['PaymentAuthorized']);
      expect(await charges(orderId)).toEqual(['authorize']);
    }
  });

  it('does not let a slow card hold up the others', async () => {
    // So many that some share the partition of the slow one, which was there before them.
    const QUICK_CARDS = 60;
    // A process that stood still meanwhile finds all answers at once: then they say nothing about who waited for whom.
    await until(
      'the answers about quick cards, asked for later, are older than that about a slow one',
      async () => {
        const [slow, quick] = [newId<OrderId>(), Array.from({ length: QUICK_CARDS }, () => newId<OrderId>())];
        await topics.send([authorize(slow, 'tok_slow')]);
        await topics.send(quick.map((orderId) => authorize(orderId)));
        const answers = await until('all are answered', async () => {
          const orders = new Set<string | null>([slow, ...quick]);
          const about = (await topics.read('payment.events.v1')).filter(({ key }) => orders.has(key));
          return about.length >= orders.size && about;
        });
        expect(new Set(answers.map(({ headers }) => headers['ce_type']))).toEqual(
          new Set(['millrace.PaymentAuthorized.v1']),
        );
        const saidAt = new Map(answers.map(({ key, headers }) => [key, Date.parse(String(headers['ce_time']))]));
        return quick.every((orderId) => Number(saidAt.get(orderId)) < Number(saidAt.get(slow)));
      },
      { timeoutMs: 40_000 },
    );
  }, 90_000);

  it('gives up what is held, and remembers an undo of what it never saw', async () => {
    const [held, never] = [newId<OrderId>(), newId<OrderId>()];
    await topics.send([authorize(held), command(VoidPayment, { orderId: held })]);
    await topics.send([command(VoidPayment, { orderId: never }), authorize(never)]);
    expect(typesOf(await answered(held, 2))).toEqual(['PaymentAuthorized', 'PaymentVoided']);
    expect(await charges(held)).toEqual(['authorize', 'void']);
    const answers = await answered(never, 2);
    expect(typesOf(answers)).toEqual(['PaymentVoided', 'PaymentDeclined']);
    expect(answers[1]?.body).toEqual({ orderId: never, reason: 'payment-voided' });
    expect(await charges(never)).toEqual([]);
  });

  it('dead-letters taking money that was never held, and goes on with the order', async () => {
    const orderId = newId<OrderId>();
    await topics.send([command(CapturePayment, { orderId }), authorize(orderId)]);
    expect(typesOf(await answered(orderId, 1))).toEqual(['PaymentAuthorized']);
    const letters = await until('the dead letter', async () => {
      const found = (await topics.read(`${GROUP}.dlq`)).filter(({ key }) => key === orderId);
      return found.length > 0 && found;
    });
    expect(letters).toHaveLength(1);
    expect(letters[0]?.headers).toMatchObject({
      'dlq-reason': 'impossible-transition',
      ce_type: 'millrace.CapturePayment.v1',
    });
  });

  it('waits while the provider is away, loses nothing, and goes on by itself', async () => {
    const superuser = new Database({ url: payment.storage.superuserUrl, applicationName: 'outage', poolSize: 1 });
    const name = new URL(payment.books.url).pathname.slice(1);
    const orderId = newId<OrderId>();
    try {
      await superuser.query(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);
      await superuser.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'payment-provider'`,
        [name],
      );
      await topics.send([authorize(orderId)]);
      await until('the service says that it waits', async () => {
        const ready = await fetch(`${payment.service.url}/health/ready`);
        return ready.status === 503 && (await ready.text()).includes('provider is away');
      });
      expect((await fetch(`${payment.service.url}/health/live`)).status).toBe(200);
    } finally {
      await superuser.query(`ALTER DATABASE ${name} CONNECTION LIMIT -1`);
      await superuser.close();
    }
    expect(typesOf(await answered(orderId, 1))).toEqual(['PaymentAuthorized']);
    expect((await topics.read(`${GROUP}.dlq`)).filter(({ key }) => key === orderId)).toEqual([]);
  });

  it('tells what became of the money of an order', async () => {
    const orderId = newId<OrderId>();
    await topics.send([authorize(orderId), command(CapturePayment, { orderId })]);
    const [, captured] = await answered(orderId, 2);
    const response = await fetch(`${payment.service.url}/payments/${orderId}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      orderId,
      paymentId: captured?.body['paymentId'],
      status: 'captured',
      currency: 'EUR',
      authorizedMinor: 4_200,
      capturedMinor: 4_200,
      refundedMinor: 0,
      declineReason: null,
      providerReference: expect.stringMatching(/^ch_/),
      updatedAt: expect.any(String),
    });
    const unknown = await fetch(`${payment.service.url}/payments/${newId()}`);
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('application/problem+json'),
    ]);
    expect((await fetch(`${payment.service.url}/payments/1`)).status).toBe(400);
  });
});
