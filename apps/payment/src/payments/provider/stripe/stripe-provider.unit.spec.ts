import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import { PermanentFailure, Unavailable } from '@millrace/messaging';
import type { AuthorizeCall, ChargeCall } from '../payment-provider.ts';
import { StripeProvider } from './stripe-provider.ts';

/** What Stripe heard. */
interface Heard {
  readonly request: string;
  readonly idempotencyKey: unknown;
  readonly authorization: unknown;
  readonly body: Record<string, string>;
}

type Answer = { readonly status: number; readonly body: object } | 'silence';

let stripe: Server;
let provider: StripeProvider;
let heard: Heard[];
let answer: Answer;

beforeEach(async () => {
  heard = [];
  stripe = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heard.push({
        request: `${request.method} ${request.url}`,
        idempotencyKey: request.headers['idempotency-key'],
        authorization: request.headers.authorization,
        body: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8'))),
      });
      if (answer === 'silence') return;
      response.writeHead(answer.status, { 'content-type': 'application/json', 'request-id': 'req_1' });
      response.end(JSON.stringify(answer.body));
    });
  });
  await once(stripe.listen(0, '127.0.0.1'), 'listening');
  const { port } = stripe.address() as AddressInfo;
  provider = new StripeProvider({ apiKey: 'sk_test_1', apiBase: new URL(`http://127.0.0.1:${port}`), timeoutMs: 200 });
});

afterEach(async () => {
  stripe.closeAllConnections();
  await new Promise((resolve) => stripe.close(resolve));
});

const amount = { amountMinor: 4_200, currency: 'EUR' };
const signal = new AbortController().signal;
const orderId = newId<OrderId>();
const authorization: AuthorizeCall = { orderId, amount, token: 'pm_card_visa', idempotencyKey: 'message-1', signal };
const onCharge: ChargeCall = { orderId, amount, reference: 'pi_1', idempotencyKey: 'message-2', signal };

const intent = (status: string): Answer => ({ status: 200, body: { id: 'pi_1', object: 'payment_intent', status } });
const failure = (status: number, error: object): Answer => ({ status, body: { error: { message: 'no', ...error } } });

describe('asking Stripe to hold money', () => {
  it('confirms a payment intent that is captured by hand, under the idempotency key of the call', async () => {
    answer = intent('requires_capture');
    expect(await provider.authorize(authorization)).toEqual({ kind: 'authorized', reference: 'pi_1' });
    expect(heard).toEqual([
      {
        request: 'POST /v1/payment_intents',
        idempotencyKey: 'message-1',
        authorization: 'Bearer sk_test_1',
        body: {
          amount: '4200',
          currency: 'eur',
          capture_method: 'manual',
          confirm: 'true',
          payment_method: 'pm_card_visa',
          'allowed_payment_method_types[0]': 'card',
          error_on_requires_action: 'true',
          'metadata[orderId]': orderId,
        },
      },
    ]);
  });

  const refusals: readonly (readonly [object, string])[] = [
    [{ type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' }, 'insufficient-funds'],
    [{ type: 'card_error', code: 'card_declined', decline_code: 'generic_decline' }, 'card-declined'],
    [{ type: 'card_error', code: 'expired_card' }, 'card-declined'],
    [{ type: 'card_error', code: 'authentication_required' }, 'card-declined'],
  ];
  for (const [error, reason] of refusals) {
    it(`takes ${Object.values(error).slice(1).join(' ')} for an answer: ${reason}`, async () => {
      answer = failure(402, error);
      expect(await provider.authorize(authorization)).toEqual({ kind: 'declined', reason });
    });
  }

  it('does not take an intent in another state for held money', async () => {
    answer = intent('processing');
    await expect(provider.authorize(authorization)).rejects.toThrow(/is processing/);
  });
});

describe('asking Stripe about held money', () => {
  it('takes the whole amount', async () => {
    answer = intent('succeeded');
    await provider.capture(onCharge);
    expect(heard).toMatchObject([
      {
        request: 'POST /v1/payment_intents/pi_1/capture',
        idempotencyKey: 'message-2',
        body: { amount_to_capture: '4200' },
      },
    ]);
  });

  it('gives the hold up', async () => {
    answer = intent('canceled');
    await provider.void(onCharge);
    expect(heard).toMatchObject([{ request: 'POST /v1/payment_intents/pi_1/cancel', idempotencyKey: 'message-2' }]);
  });

  it('gives the amount back', async () => {
    answer = { status: 200, body: { id: 're_1', object: 'refund', status: 'succeeded' } };
    await provider.refund(onCharge);
    expect(heard).toMatchObject([
      { request: 'POST /v1/refunds', idempotencyKey: 'message-2', body: { payment_intent: 'pi_1', amount: '4200' } },
    ]);
  });

  it('is content when that was done long ago and Stripe forgot the idempotency key', async () => {
    const unexpected = (status: string): Answer =>
      failure(400, {
        type: 'invalid_request_error',
        code: 'payment_intent_unexpected_state',
        payment_intent: { id: 'pi_1', status },
      });
    answer = unexpected('succeeded');
    await expect(provider.capture(onCharge)).resolves.toBeUndefined();
    answer = unexpected('canceled');
    await expect(provider.void(onCharge)).resolves.toBeUndefined();
    answer = failure(400, { type: 'invalid_request_error', code: 'charge_already_refunded' });
    await expect(provider.refund(onCharge)).resolves.toBeUndefined();
  });

  it('fails for good when the hold ended the other way', async () => {
    answer = failure(400, {
      type: 'invalid_request_error',
      code: 'payment_intent_unexpected_state',
      payment_intent: { id: 'pi_1', status: 'canceled' },
    });
    await expect(provider.capture(onCharge)).rejects.toThrow(PermanentFailure);
  });
});

describe('trouble with Stripe', () => {
  const outages: readonly (readonly [string, Answer])[] = [
    ['answers 500', failure(500, { type: 'api_error' })],
    ['answers 503', failure(503, { type: 'api_error' })],
    ['asks to slow down', failure(429, { type: 'invalid_request_error', code: 'rate_limit' })],
    ['does not accept the key', failure(401, { type: 'invalid_request_error' })],
    ['does not answer', 'silence'],
  ];
  for (const [what, trouble] of outages) {
    it(`is an outage when Stripe ${what}: asked once, the runtime waits`, async () => {
      answer = trouble;
      await expect(provider.authorize(authorization)).rejects.toThrow(Unavailable);
      expect(heard).toHaveLength(1);
    });
  }

  it('is an outage when nobody listens', async () => {
    const nobody = new StripeProvider({ apiKey: 'sk_test_1', apiBase: new URL('http://127.0.0.1:1'), timeoutMs: 200 });
    await expect(nobody.capture(onCharge)).rejects.toThrow(Unavailable);
  });

  it('is final when the request itself is wrong', async () => {
    answer = failure(400, { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' });
    await expect(provider.authorize(authorization)).rejects.toMatchObject({
      name: 'PermanentFailure',
      reason: 'refused-by-provider',
    });
  });

  it('is worth another try when the same call is still under way', async () => {
    answer = failure(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' });
    const error: unknown = await provider.authorize(authorization).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(PermanentFailure);
    expect(error).not.toBeInstanceOf(Unavailable);
  });
});
