import {
  type AnyMessage,
  CapturePayment,
  defineMessage,
  type MessageOf,
  OrderId,
  type Said,
  topics,
} from '@millrace/contracts';
import { decides, type Handler, keyedStore } from '@millrace/messaging';
import { z } from 'zod';

const facts = {
  type: 'ParcelWeighed',
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'The parcel was put on the scale.',
} as const;

/** As the old build knows it: a weight in words. */
const ParcelWeighedV1 = defineMessage({
  ...facts,
  version: 1,
  schema: z.object({ orderId: OrderId, weight: z.string() }),
});

const v2 = { ...facts, version: 2, schema: z.object({ orderId: OrderId, grams: z.int().positive() }) };
const upcast = ({ orderId, weight }: { orderId: OrderId; weight: string }) => ({
  orderId,
  grams: Number.parseInt(weight, 10),
});

/** As the new build knows it while old ones run: it is said in both versions. */
const ParcelWeighed = defineMessage({
  ...v2,
  earlier: {
    contract: ParcelWeighedV1,
    upcast,
    downcast: ({ orderId, grams }) => ({ orderId, weight: `${grams} g` }),
  },
});

/** As a build knows it that came too early: it says the new version only. */
const HastyParcelWeighed = defineMessage({ ...v2, earlier: { contract: ParcelWeighedV1, upcast } });

/** Weighs the parcel of every order whose payment is to be captured: 700 grams each. */
export function scale(build: 'old' | 'new' | 'hasty'): Handler {
  const say = (orderId: OrderId): Said => {
    if (build === 'old') return ParcelWeighedV1({ orderId, weight: '700 g' });
    return build === 'new' ? ParcelWeighed({ orderId, grams: 700 }) : HastyParcelWeighed({ orderId, grams: 700 });
  };
  return decides({
    hears: [CapturePayment],
    store: keyedStore<object, MessageOf<typeof CapturePayment>>({
      load: () => Promise.resolve(new Map()),
      save: () => Promise.resolve(),
    }),
    decide: (state, { body }) => ({ state, messages: [say(body.orderId)] }),
  });
}

/** What a book of weights knows of one order; every effect is a row of its own in `effects`. */
interface Entry {
  readonly orderId: OrderId;
  readonly effects: readonly string[];
}

export const WEIGHTS_TABLE = 'CREATE TABLE weights (order_id uuid PRIMARY KEY, effects text[] NOT NULL)';

const storeOf = <Message extends AnyMessage>() =>
  keyedStore<Entry, Message>({
    load: async (db, keys, lock) => {
      const { rows } = await db.query<{ order_id: OrderId; effects: string[] }>(
        `SELECT order_id, effects FROM weights WHERE order_id = ANY($1::uuid[]) ORDER BY order_id ${lock ? 'FOR UPDATE' : ''}`,
        [keys],
      );
      return new Map(rows.map(({ order_id, effects }) => [order_id, { orderId: order_id, effects }]));
    },
    save: async (tx, changes) => {
      for (const { key, after } of changes) {
        await tx.query(
          'INSERT INTO weights VALUES ($1, $2) ON CONFLICT (order_id) DO UPDATE SET effects = excluded.effects',
          [key, after.effects],
        );
      }
    },
  });

/** Writes weights down, each message once, as `<build>:<what it heard>`. */
export function book(build: 'old' | 'new'): Handler {
  if (build === 'old') {
    return decides({
      hears: [ParcelWeighedV1],
      store: storeOf<MessageOf<typeof ParcelWeighedV1>>(),
      decide: (entry, { body }) => noted(entry, body.orderId, `old:${body.weight}`),
    });
  }
  return decides({
    hears: [ParcelWeighed],
    store: storeOf<MessageOf<typeof ParcelWeighed>>(),
    decide: (entry, { body }) => noted(entry, body.orderId, `new:${body.grams}`),
  });
}

function noted(entry: Entry | undefined, orderId: OrderId, effect: string) {
  return { state: { orderId, effects: [...(entry?.effects ?? []), effect] }, messages: [] };
}
