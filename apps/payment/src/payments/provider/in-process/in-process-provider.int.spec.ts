import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { PermanentFailure, Unavailable } from '@millrace/messaging';
import type { AuthorizeCall, Authorization, ChargeCall } from '../payment-provider.ts';
import { InProcessProvider } from './in-process-provider.ts';

const opened: InProcessProvider[] = [];
let scratch: TestDatabase;
let ledger: Database;
let provider: InProcessProvider;

beforeAll(async () => {
  scratch = await createTestDatabase();
  ledger = new Database({ url: scratch.url, applicationName: 'ledger-reader', poolSize: 1 });
  // Two replicas of the service that start on an empty ledger at once.
  const [first] = await Promise.all([start(), start()]);
  provider = first;
});

afterAll(async () => {
  await Promise.all(opened.map((each) => each.onApplicationShutdown()));
  await ledger.close();
  await scratch.drop();
});

beforeEach(async () => {
  await ledger.query('TRUNCATE charge, failed_attempt');
});

async function start(): Promise<InProcessProvider> {
  const database = new Database({ url: scratch.url, applicationName: 'payment-provider', poolSize: 2 });
  const started = new InProcessProvider(database, { slowCardMs: 30 });
  opened.push(started);
  await started.onModuleInit();
  return started;
}

const signal = new AbortController().signal;
const amount = { amountMinor: 4_200, currency: 'EUR' };

const authorization = (token: string, changes: Partial<AuthorizeCall> = {}): AuthorizeCall => ({
  orderId: newId<OrderId>(),
  amount,
  token,
  idempotencyKey: newId(),
  signal,
  ...changes,
});

async function held(): Promise<ChargeCall> {
  const call = authorization('tok_approved');
  return {
    orderId: call.orderId,
    amount,
    reference: referenceIn(await provider.authorize(call)),
    idempotencyKey: newId(),
    signal,
  };
}

function referenceIn(answer: Authorization): string {
  if (answer.kind !== 'authorized') throw new Error(`expected an authorization, got ${answer.reason}`);
  return answer.reference;
}

const again = (call: ChargeCall): ChargeCall => ({ ...call, idempotencyKey: newId() });

async function entries(): Promise<string[]> {
  const { rows } = await ledger.query<{ kind: string }>('SELECT kind FROM charge ORDER BY id');
  return rows.map(({ kind }) => kind);
}

describe('the test cards', () => {
  const refusals: readonly (readonly [string, string])[] = [
    ['tok_declined', 'card-declined'],
    ['tok_insufficient_funds', 'insufficient-funds'],
    ['tok_nobody_knows', 'card-declined'],
  ];
  for (const [token, reason] of refusals) {
    it(`${token} is declined: ${reason}`, async () => {
      expect(await provider.authorize(authorization(token))).toEqual({ kind: 'declined', reason });
      expect(await entries()).toEqual(['decline']);
    });
  }

  it('tok_approved holds the amount, once per idempotency key', async () => {
    const call = authorization('tok_approved');
    const first = await provider.authorize(call);
    expect(first).toEqual({ kind: 'authorized', reference: expect.stringMatching(/^ch_[0-9a-f]{32}$/) });
    expect(await provider.authorize(call)).toEqual(first);
    const { rows } = await ledger.query('SELECT kind, order_id, amount_minor, currency, idempotency_key FROM charge');
    expect(rows).toEqual([
      {
        kind: 'authorize',
        order_id: call.orderId,
        amount_minor: '4200',
        currency: 'EUR',
        idempotency_key: call.idempotencyKey,
      },
    ]);
  });

  it('tok_slow is approved after a while', async () => {
    expect(await provider.authorize(authorization('tok_slow'))).toMatchObject({ kind: 'authorized' });
  });

  it('tok_slow holds nothing when nobody waits for the answer any more', async () => {
    const waiting = new AbortController();
    const answer = provider.authorize(authorization('tok_slow', { signal: waiting.signal }));
    waiting.abort();
    await expect(answer).rejects.toThrow(/abort/i);
    expect(await entries()).toEqual([]);
  });

  it('tok_error_then_success fails without an effect, and is approved when it is tried again, also after a restart', async () => {
    const call = authorization('tok_error_then_success');
    await expect(provider.authorize(call)).rejects.toThrow(/before it did anything/);
    expect(await entries()).toEqual([]);
    const restarted = await start();
    expect(await restarted.authorize(call)).toMatchObject({ kind: 'authorized' });
    expect(await entries()).toEqual(['authorize']);
  });

  it('tok_error_after_charging holds the money once although the first call fails', async () => {
    const call = authorization('tok_error_after_charging');
    await expect(provider.authorize(call)).rejects.toThrow(/after it held the money/);
    const restarted = await start();
    const answer = await restarted.authorize(call);
    expect(await restarted.authorize(call)).toEqual(answer);
    const { rows } = await ledger.query<{ reference: string }>('SELECT reference FROM charge');
    expect(rows).toEqual([{ reference: referenceIn(answer) }]);
  });
});

describe('money that is held', () => {
  it('is taken once and given back once, however often each call is repeated', async () => {
    const capture = await held();
    await provider.capture(capture);
    await provider.capture(capture);
    const refund = again(capture);
    await provider.refund(refund);
    await provider.refund(refund);
    expect(await entries()).toEqual(['authorize', 'capture', 'refund']);
  });

  it('is given up once', async () => {
    const call = await held();
    await provider.void(call);
    await provider.void(call);
    expect(await entries()).toEqual(['authorize', 'void']);
  });

  it('is not taken twice under two keys', async () => {
    const call = await held();
    await provider.capture(call);
    await expect(provider.capture(again(call))).rejects.toThrow(PermanentFailure);
    expect(await entries()).toEqual(['authorize', 'capture']);
  });

  it('is not taken after it was given up, nor given up after it was taken', async () => {
    const voided = await held();
    await provider.void(voided);
    await expect(provider.capture(again(voided))).rejects.toThrow(PermanentFailure);
    const captured = await held();
    await provider.capture(captured);
    await expect(provider.void(again(captured))).rejects.toThrow(PermanentFailure);
  });

  it('is not given back before it was taken, nor taken above what is held', async () => {
    const call = await held();
    await expect(provider.refund(again(call))).rejects.toThrow(PermanentFailure);
    const tooMuch = { ...again(call), amount: { amountMinor: amount.amountMinor + 1, currency: 'EUR' } };
    await expect(provider.capture(tooMuch)).rejects.toThrow(PermanentFailure);
    expect(await entries()).toEqual(['authorize']);
  });
});

describe('an idempotency key', () => {
  it('cannot be used for another order', async () => {
    const call = authorization('tok_approved');
    await provider.authorize(call);
    await expect(provider.authorize({ ...call, orderId: newId<OrderId>() })).rejects.toThrow(PermanentFailure);
  });

  it('cannot be used for another kind of call', async () => {
    const call = await held();
    await provider.capture(call);
    await expect(provider.refund(call)).rejects.toThrow(PermanentFailure);
  });

  it('acts once when the same call is made at the same time', async () => {
    const call = authorization('tok_approved');
    const answers = await Promise.all(Array.from({ length: 20 }, () => provider.authorize(call)));
    expect(new Set(answers.map(referenceIn)).size).toBe(1);
    expect(await entries()).toEqual(['authorize']);
  });
});

describe('the ledger', () => {
  it('writes what many calls of the same moment do in a few statements, each for itself', async () => {
    const calls = Array.from({ length: 300 }, (_, index) =>
      authorization(index % 3 === 0 ? 'tok_declined' : 'tok_approved'),
    );
    const answers = await Promise.all(calls.map((call) => provider.authorize(call)));
    expect(answers.map(({ kind }) => kind)).toEqual(
      calls.map(({ token }) => (token === 'tok_declined' ? 'declined' : 'authorized')),
    );
    const { rows } = await ledger.query(
      'SELECT count(*)::int AS entries, count(DISTINCT at)::int AS statements FROM charge',
    );
    expect(rows[0]).toMatchObject({ entries: 300 });
    expect(Number(rows[0]?.['statements'])).toBeLessThan(20);
  });

  it('is away when its database is: the call waits for it instead of failing for good', async () => {
    const away = new InProcessProvider(
      new Database({ url: 'postgresql://nobody:x@127.0.0.1:1/none', applicationName: 'away', poolSize: 1 }),
    );
    opened.push(away);
    await away.onModuleInit();
    await expect(away.authorize(authorization('tok_approved'))).rejects.toThrow(Unavailable);
  });
});
