import { deadLetterTopics, endsOf, kafkaOf } from '../kafka.ts';
import { rowsOf } from '../books/rows.ts';
import type { ShopRecords } from '../running-shop.ts';
import { services } from '../services.ts';
import type { Finding } from './findings.ts';

export const NONE_OVERDUE = { slug: 'none-overdue', name: 'no order waits past its deadline' } as const;
export const NOTHING_UNSENT = { slug: 'nothing-unsent', name: 'no message waits for long to be sent' } as const;
export const NOTHING_PARKED = {
  slug: 'nothing-parked',
  name: 'no message is held, or waits for long to be tried again',
} as const;
export const NO_DEAD_LETTERS = { slug: 'no-dead-letters', name: 'no message was given up lately' } as const;

// A deadline is acted on within a second, an outbox row lives for milliseconds; what is this late is stuck.
const LATE = "interval '60 seconds'";
const MAX_OVERDUE = 100;

// By every handler's policy a message has had its last try after some minutes.
const PARKED_LONG = "interval '15 minutes'";

/** What does not go on in a living shop. Dead letters count for `windowMs`. */
export async function stuckFindings(
  shop: ShopRecords,
  now: Date,
  { windowMs }: { readonly windowMs: number },
): Promise<readonly Finding[]> {
  return (
    await Promise.all([
      overdueOrders(shop),
      unsentMessages(shop),
      parkedMessages(shop),
      deadLetters(shop, now.getTime() - windowMs),
    ])
  ).flat();
}

async function overdueOrders(shop: ShopRecords): Promise<Finding[]> {
  const overdue = await rowsOf<{ orderId: string; stage: string }>(
    shop,
    'order',
    `SELECT order_id AS "orderId", stage FROM checkouts
     WHERE wake_at < now() - ${LATE} AND deadline < now() - ${LATE} ORDER BY wake_at LIMIT ${MAX_OVERDUE}`,
  );
  return overdue.map(({ orderId, stage }) => ({
    slug: NONE_OVERDUE.slug,
    sentence: `order ${orderId} is ${stage} past its deadline`,
  }));
}

async function unsentMessages(shop: ShopRecords): Promise<Finding[]> {
  const waiting = await Promise.all(
    services.map(async (service) => {
      // By its key, which rises with time: the oldest row is found without reading the others.
      const rows = await rowsOf(
        shop,
        service,
        `SELECT FROM (SELECT created_at FROM messaging.outbox ORDER BY seq LIMIT 1) AS oldest WHERE created_at < now() - ${LATE}`,
      );
      return rows.length === 0
        ? []
        : [{ slug: NOTHING_UNSENT.slug, sentence: `messages wait in the outbox of ${service} for more than a minute` }];
    }),
  );
  return waiting.flat();
}

async function parkedMessages(shop: ShopRecords): Promise<Finding[]> {
  const parked = await Promise.all(
    services.map((service) =>
      rowsOf<{ group: string }>(
        shop,
        service,
        `SELECT DISTINCT consumer_group AS "group" FROM messaging.parked_key
         WHERE held OR first_failed_at < now() - ${PARKED_LONG} ORDER BY consumer_group`,
      ),
    ),
  );
  return parked.flat().map(({ group }) => ({
    slug: NOTHING_PARKED.slug,
    sentence: `messages of ${group} are held for a person, or were tried again for a quarter of an hour`,
  }));
}

async function deadLetters(shop: ShopRecords, since: number): Promise<Finding[]> {
  const admin = kafkaOf(shop.brokers, 2).admin();
  try {
    await admin.connect();
    const found: Finding[] = [];
    // Here, too, one topic after the other: see `endsOf`.
    for (const [topic, ends] of await endsOf(admin, deadLetterTopics)) {
      const starts = await admin.fetchTopicOffsetsByTimestamp(topic, since);
      const startOf = new Map(starts.map(({ partition, offset }) => [partition, Number(offset)]));
      const isNew = [...ends].some(([partition, { high }]) => high > (startOf.get(partition) ?? 0));
      if (isNew) found.push({ slug: NO_DEAD_LETTERS.slug, sentence: `${topic} got messages` });
    }
    return found;
  } finally {
    await admin.disconnect();
  }
}
