import { describe, expect, it } from '@jest/globals';
import { catalogue } from '../catalogue.ts';
import { exampleOf } from '../fixtures/examples.ts';
import { newId } from '../ids.ts';
import type { AnyContract, AnyMessage, Said } from '../message.ts';
import { CapturePayment, OrderConfirmed, PaymentCaptured, ProductListed, VoidPayment } from '../messages.ts';
import { type Decoded, decoderOf, type RawMessage } from './decode.ts';
import { ContractViolation, encode } from './encode.ts';

const facts = {
  id: newId(),
  source: 'order',
  time: new Date('2026-01-01T00:00:00.123Z'),
  correlationId: newId(),
  causationId: newId(),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

/** The record as Kafka gives it back. */
function rawOf(said: Said, changed: Partial<RawMessage> = {}): RawMessage {
  const { key, value, headers } = encode(said, facts);
  return {
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
    ...changed,
  };
}

const changedBody = (said: Said, changes: Record<string, unknown>): RawMessage => {
  const raw = rawOf(said);
  return { ...raw, value: Buffer.from(JSON.stringify({ ...(JSON.parse(String(raw.value)) as object), ...changes })) };
};
const withHeaders = (headers: RawMessage['headers'], said = exampleOf(CapturePayment)): RawMessage => {
  const raw = rawOf(said);
  return { ...raw, headers: { ...raw.headers, ...headers } };
};
const decode = (raw: RawMessage, heard: readonly AnyContract[] = [CapturePayment]): Decoded => decoderOf(heard)(raw);
const messageOf = (decoded: Decoded): AnyMessage => {
  if (decoded.kind !== 'message') throw new Error(`it is no message: ${JSON.stringify(decoded)}`);
  return decoded.message;
};

describe('every message', () => {
  it.each(catalogue.map((contract) => [contract.type, contract] as const))(
    '%s comes out of the envelope as it went in',
    (type, contract) => {
      const said = { ...exampleOf(contract), aggregateVersion: 7 };
      const message = messageOf(decode(rawOf(said), [contract]));
      expect(message).toEqual({
        type,
        body: said.body,
        key: contract.keyOf(said.body),
        id: facts.id,
        source: 'order',
        time: facts.time,
        correlationId: facts.correlationId,
        causationId: facts.causationId,
        traceparent: facts.traceparent,
        aggregateVersion: 7,
      });
    },
  );

  it.each(catalogue.map((contract) => [contract.type, contract] as const))(
    '%s tolerates a field that a later version adds',
    (_type, contract) => {
      const said = exampleOf(contract);
      const message = messageOf(decode(changedBody(said, { addedLater: { deep: [1] } }), [contract]));
      expect(message.body).toEqual(said.body);
    },
  );

  it.each(catalogue.map((contract) => [contract.type, contract] as const))(
    '%s misses none of its fields without being noticed',
    (_type, contract) => {
      const body = exampleOf(contract).body as Record<string, unknown>;
      for (const field of Object.keys(body)) {
        const decoded = decode(
          { ...rawOf(exampleOf(contract)), value: Buffer.from(JSON.stringify({ ...body, [field]: undefined })) },
          [contract],
        );
        expect(decoded).toMatchObject({ kind: 'malformed', reason: 'schema-violation' });
        expect(decoded.kind === 'malformed' && decoded.detail).toContain(field);
      }
    },
  );
});

describe('the envelope', () => {
  it('is a CloudEvent 1.0 in binary mode, with nothing of the body in its headers', () => {
    const { topic, key, headers } = encode(exampleOf(OrderConfirmed), facts);
    expect(topic).toBe('order.events.v1');
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: facts.id,
      ce_type: 'millrace.OrderConfirmed.v1',
      ce_source: '/millrace/order',
      ce_time: '2026-01-01T00:00:00.123Z',
      ce_subject: key,
      'content-type': 'application/json',
      'correlation-id': facts.correlationId,
      'causation-id': facts.causationId,
      traceparent: facts.traceparent,
    });
  });

  it('does without what is not known, and the conversation begins with the message then', () => {
    const { causationId: _c, traceparent: _t, ...few } = facts;
    const { headers } = encode(exampleOf(CapturePayment), few);
    expect(Object.keys(headers)).not.toContain('causation-id');
    const message = messageOf(
      decode(withHeaders({ 'correlation-id': undefined, 'causation-id': undefined, traceparent: undefined })),
    );
    expect(message.correlationId).toBe(facts.id);
    expect(Object.keys(message)).not.toContain('causationId');
    expect(Object.keys(message)).not.toContain('traceparent');
    expect(Object.keys(message)).not.toContain('aggregateVersion');
  });

  it('takes the last of a header that is repeated', () => {
    const second = newId();
    expect(messageOf(decode(withHeaders({ ce_id: [Buffer.from(facts.id), Buffer.from(second)] }))).id).toBe(second);
  });

  it('refuses to say what the contract refuses, and names the field and what was expected', () => {
    const said = PaymentCaptured({
      ...(exampleOf(PaymentCaptured).body as never as object),
      amount: { amountMinor: 0.5, currency: 'eur' },
    } as never);
    const violation = (): unknown => encode(said, facts);
    expect(violation).toThrow(ContractViolation);
    expect(violation).toThrow(/expected int[^]*amount\.amountMinor/);
    expect(violation).toThrow(/ISO 4217[^]*amount\.currency/);
  });
});

describe('a record that is for others', () => {
  it('is passed over, whatever its body is', () => {
    expect(decode(rawOf(exampleOf(VoidPayment), { value: Buffer.from('{') }))).toEqual({ kind: 'not-heard' });
  });

  it.each(['millrace.VoidPayment.v2', 'millrace.PaymentPostponed.v1'])(
    'is passed over when only later services know of it: %s',
    (type) => {
      expect(decode(withHeaders({ ce_type: type }))).toEqual({ kind: 'not-heard' });
    },
  );
});

describe('a record that is no message', () => {
  const good = exampleOf(CapturePayment);
  it.each<readonly [string, RawMessage, string, RegExp]>([
    ['without a type', withHeaders({ ce_type: undefined }), 'bad-envelope', /ce_type is missing/],
    ['of a foreign type', withHeaders({ ce_type: 'com.acme.Nonsense.v1' }), 'unknown-type', /com\.acme\.Nonsense\.v1/],
    ['of no version', withHeaders({ ce_type: 'millrace.CapturePayment.v0' }), 'unknown-type', /CapturePayment\.v0/],
    ['without an id', withHeaders({ ce_id: undefined }), 'bad-envelope', /ce_id: expected a UUIDv7, got nothing/],
    ['with an id that is none', withHeaders({ ce_id: '17' }), 'bad-envelope', /ce_id: expected a UUIDv7, got 17/],
    [
      'with an id that tells no time',
      withHeaders({ ce_id: '9b2f3c8e-5d1a-4c6b-8f7e-0123456789ab' }),
      'bad-envelope',
      /ce_id: expected a UUIDv7/,
    ],
    [
      'with a time that is none',
      withHeaders({ ce_time: 'yesterday' }),
      'bad-envelope',
      /ce_time: expected an RFC 3339 time/,
    ],
    ['without a source', withHeaders({ ce_source: undefined }), 'bad-envelope', /ce_source is missing/],
    ['without a body', rawOf(good, { value: null }), 'bad-json', /no JSON/],
    ['with half a body', rawOf(good, { value: Buffer.from('{"orderId": ') }), 'bad-json', /no JSON/],
    ['with bytes that are no text', rawOf(good, { value: Buffer.from([0, 255, 254]) }), 'bad-json', /no JSON/],
    ['with a list as body', rawOf(good, { value: Buffer.from('[]') }), 'schema-violation', /expected object/],
    ['with null as body', rawOf(good, { value: Buffer.from('null') }), 'schema-violation', /expected object/],
    ['with a wrong field', changedBody(good, { orderId: 5 }), 'schema-violation', /expected string[^]*orderId/],
    ['with a field that is no id', changedBody(good, { orderId: 'x' }), 'schema-violation', /UUID[^]*orderId/],
    ['with a foreign key', rawOf(good, { key: Buffer.from('other') }), 'bad-envelope', /key is not the body's key/],
    ['without a key', rawOf(good, { key: null }), 'bad-envelope', /key is not the body's key/],
  ])('%s tells why', (_what, raw, reason, detail) => {
    const decoded = decode(raw);
    expect(decoded).toMatchObject({ kind: 'malformed', reason });
    expect(decoded.kind === 'malformed' && decoded.detail).toMatch(detail);
  });

  it('tells the place of a fault deep inside', () => {
    const decoded = decode(changedBody(exampleOf(ProductListed), { price: { amountMinor: -1, currency: 'EUR' } }), [
      ProductListed,
    ]);
    expect(decoded.kind === 'malformed' && decoded.detail).toMatch(/price\.amountMinor/);
  });
});
