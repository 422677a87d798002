import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { newId, OrderId } from '../ids.ts';
import { type AnyContract, defineMessage, saidVersionsOf, versionsOf } from '../message.ts';
import { topics } from '../topics.ts';
import { type Decoded, decoderOf, type RawMessage } from './decode.ts';
import { ContractViolation, encode, type EncodedMessage } from './encode.ts';

const shared = {
  type: 'ParcelWeighed',
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'It was weighed.',
} as const;

const ParcelWeighedV1 = defineMessage({
  ...shared,
  version: 1,
  schema: z.object({ orderId: OrderId, weight: z.string() }),
});
const ParcelWeighedV2 = defineMessage({
  ...shared,
  version: 2,
  schema: z.object({ orderId: OrderId, grams: z.int().positive() }),
  earlier: {
    contract: ParcelWeighedV1,
    upcast: ({ orderId, weight }) => ({ orderId, grams: Math.round(Number.parseFloat(weight) * 1000) }),
    downcast: ({ orderId, grams }) => ({ orderId, weight: `${grams / 1000} kg` }),
  },
});
const ParcelWeighedV3 = defineMessage({
  ...shared,
  version: 3,
  schema: z.object({ orderId: OrderId, grams: z.int().positive(), by: z.string() }),
  earlier: {
    contract: ParcelWeighedV2,
    upcast: (old) => ({ ...old, by: 'unknown' }),
    downcast: ({ orderId, grams }) => ({ orderId, grams }),
  },
});

const orderId = newId<OrderId>();
const facts = { id: newId(), source: 'shipping', time: new Date(0), correlationId: newId() };

function rawOf({ key, value, headers }: EncodedMessage): RawMessage {
  return { key: Buffer.from(key), value: Buffer.from(value), headers };
}

const decode = (contract: AnyContract, encoded: EncodedMessage): Decoded => decoderOf([contract])(rawOf(encoded));
const inV1 = encode(ParcelWeighedV1({ orderId, weight: '1.5 kg' }), facts);
const inV3 = encode(ParcelWeighedV3({ orderId, grams: 700, by: 'Ada' }, { aggregateVersion: 4 }), facts);

describe('a message in several versions', () => {
  it('is heard in the newest version, whichever it was said in', () => {
    expect(decode(ParcelWeighedV2, inV1)).toMatchObject({
      kind: 'message',
      message: { id: facts.id, type: 'ParcelWeighed', key: orderId, body: { orderId, grams: 1500 } },
    });
    expect(decode(ParcelWeighedV3, inV1)).toMatchObject({ message: { body: { orderId, grams: 1500, by: 'unknown' } } });
    expect(decode(ParcelWeighedV3, inV3)).toMatchObject({ message: { body: { orderId, grams: 700, by: 'Ada' } } });
  });

  it('is said in each version that somebody still reads, the newest first, all under one id', () => {
    const records = [inV3, ...(inV3.copies ?? [])];
    expect(records.map(({ headers }) => headers['ce_type'])).toEqual([
      'millrace.ParcelWeighed.v3',
      'millrace.ParcelWeighed.v2',
      'millrace.ParcelWeighed.v1',
    ]);
    expect(records.map(({ value }) => JSON.parse(value) as unknown)).toEqual([
      { orderId, grams: 700, by: 'Ada' },
      { orderId, grams: 700 },
      { orderId, weight: '0.7 kg' },
    ]);
    for (const { key, topic, headers } of records) {
      expect([key, topic, headers['ce_id'], headers['aggregate-version']]).toEqual([
        orderId,
        'shipping.events.v1',
        facts.id,
        '4',
      ]);
    }
    expect(records.map(({ headers }) => headers['also-said-as'])).toEqual(['2,1', '1', undefined]);
  });

  it('is passed over by an old reader in the versions that it does not know, because its own follows', () => {
    const kinds = (contract: AnyContract) => [inV3, ...(inV3.copies ?? [])].map((each) => decode(contract, each).kind);
    expect(kinds(ParcelWeighedV1)).toEqual(['not-heard', 'not-heard', 'message']);
    expect(kinds(ParcelWeighedV2)).toEqual(['not-heard', 'message', 'message']);
    expect(kinds(ParcelWeighedV3)).toEqual(['message', 'message', 'message']);
  });

  it('is too new for a reader that none of its copies is for, and keeps its id', () => {
    const alone = defineMessage({ ...shared, version: 2, schema: ParcelWeighedV2.schema });
    const encoded = encode(alone({ orderId, grams: 700 }), facts);
    expect(encoded.copies).toBeUndefined();
    expect(decode(ParcelWeighedV1, encoded)).toEqual({
      kind: 'malformed',
      reason: 'newer-version',
      detail: expect.stringMatching(/ParcelWeighed\.v2 is newer than this replica, which understands .*\.v1/),
      id: facts.id,
    });
  });

  it('is no message any more in a version that readers gave up', () => {
    const alone = defineMessage({ ...shared, version: 2, schema: ParcelWeighedV2.schema });
    expect(decode(alone, inV1)).toMatchObject({ reason: 'unknown-type', detail: expect.stringMatching(/no longer/) });
  });

  it('is malformed where the way to the newest version fails, and tells where', () => {
    const nonsense = encode(ParcelWeighedV1({ orderId, weight: 'heavy' }), facts);
    expect(decode(ParcelWeighedV3, nonsense)).toMatchObject({
      kind: 'malformed',
      reason: 'upcast-failed',
      detail: expect.stringMatching(/v1 made no millrace\.ParcelWeighed\.v3[^]*grams/),
    });
    const throwing = defineMessage({
      ...shared,
      version: 2,
      schema: ParcelWeighedV2.schema,
      earlier: {
        contract: ParcelWeighedV1,
        upcast: () => {
          throw new Error('no such scale');
        },
      },
    });
    expect(decode(throwing, inV1)).toMatchObject({ reason: 'upcast-failed', detail: expect.stringMatching(/scale/) });
  });

  it('is refused by its writer when a copy would not fit its own contract', () => {
    const broken = defineMessage({
      ...shared,
      version: 2,
      schema: ParcelWeighedV2.schema,
      earlier: {
        contract: ParcelWeighedV1,
        upcast: () => ({ orderId, grams: 1 }),
        downcast: ({ orderId: id }) => ({ orderId: id }) as never,
      },
    });
    expect(() => encode(broken({ orderId, grams: 1 }), facts)).toThrow(ContractViolation);
  });

  it('names what readers understand and what writers say', () => {
    expect(versionsOf(ParcelWeighedV3)).toEqual([ParcelWeighedV3, ParcelWeighedV2, ParcelWeighedV1]);
    const quiet = defineMessage({
      ...shared,
      version: 2,
      schema: ParcelWeighedV2.schema,
      earlier: { contract: ParcelWeighedV1, upcast: () => ({ orderId, grams: 1 }) },
    });
    expect(saidVersionsOf(quiet)).toEqual([quiet]);
    expect(saidVersionsOf(ParcelWeighedV3)).toHaveLength(3);
  });
});

describe('a version that does not follow the earlier one', () => {
  const next = { ...shared, version: 2, schema: ParcelWeighedV2.schema };
  const earlier = { contract: ParcelWeighedV1, upcast: () => ({ orderId, grams: 1 }) };
  it.each<readonly [string, () => unknown, RegExp]>([
    ['skips one', () => defineMessage({ ...next, version: 3, earlier }), /v3 cannot follow .*v1/],
    ['changes the topic', () => defineMessage({ ...next, topic: topics.orderEvents, earlier }), /leaves the topic/],
    ['changes the key', () => defineMessage({ ...next, key: 'grams', earlier }), /leaves the topic or the key/],
    [
      'is said twice where records are compacted',
      () => {
        const v1 = defineMessage({
          ...shared,
          topic: topics.catalogEvents,
          version: 1,
          schema: ParcelWeighedV1.schema,
        });
        const downcast = () => ({ orderId, weight: '' });
        return defineMessage({
          ...next,
          topic: topics.catalogEvents,
          earlier: { contract: v1, upcast: earlier.upcast, downcast },
        });
      },
      /compaction of catalog\.events\.v1/,
    ],
  ])('is refused when it %s', (_, define, reason) => {
    expect(define).toThrow(reason);
  });
});
