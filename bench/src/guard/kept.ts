import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { topics } from '@millrace/contracts';
import { createKafka } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import type { DatabaseName, ShopRecords } from '@millrace/shop';
import { within } from '../load/within.ts';
import { asked } from '../measure/asked.ts';

/** What a topic holds. */
export interface Held {
  readonly messages: number;
  /** Of keys, header names and values, and bodies. */
  readonly bytes: number;
}

const READ_WITHIN_SECONDS = 60;

// Not the catalog: it is not about orders, and compacting it leaves holes among its offsets.
const names = Object.values(topics)
  .filter(({ cleanup }) => cleanup.policy === 'delete')
  .map(({ name }) => name);

/** Reads each topic about orders from its first record to where it ends now. Only while nothing more is said. */
export async function heldIn({ brokers }: ShopRecords): Promise<Readonly<Record<string, Held>>> {
  const kafka = createKafka({
    brokers,
    clientId: 'guard',
    logger: createLogger({ service: 'bench', level: 'silent' }),
  });
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `bench.guard.${process.pid}.${Date.now()}`, maxWaitTimeInMs: 100 });
  const held: Record<string, { messages: number; bytes: number }> = {};
  try {
    await admin.connect();
    let left = 0;
    for (const topic of names) {
      const partitions = await admin.fetchTopicOffsets(topic);
      left += partitions.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
    }
    await consumer.connect();
    await consumer.subscribe({ topics: names, fromBeginning: true });
    const { promise: read, resolve } = Promise.withResolvers<void>();
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachMessage: ({ topic, message: { key, value, headers = {} } }) => {
        const sums = (held[topic] ??= { messages: 0, bytes: 0 });
        sums.messages += 1;
        sums.bytes += (key?.length ?? 0) + (value?.length ?? 0);
        for (const [name, header] of Object.entries(headers)) sums.bytes += name.length + lengthOf(header);
        left -= 1;
        if (left === 0) resolve();
        return Promise.resolve();
      },
    });
    await within(READ_WITHIN_SECONDS, 'all records read', read);
  } finally {
    await consumer.disconnect();
    await admin.disconnect();
  }
  return held;
}

function lengthOf(header: string | Buffer | readonly (string | Buffer)[] | undefined): number {
  if (header === undefined) return 0;
  return typeof header === 'string' || Buffer.isBuffer(header)
    ? header.length
    : header.reduce((sum, each) => sum + each.length, 0);
}

/** Length of the log segments of the same topics, in the data folder of a shop with one broker. */
export async function logBytesIn(dir: string): Promise<number> {
  const isLog = (path: string): boolean => names.some((name) => path.includes(`/${name}-`));
  const entries = await readdir(join(dir, 'kafka'), { recursive: true });
  const logs = entries.filter((path) => path.endsWith('.log') && isLog(path));
  const sizes = await Promise.all(logs.map(async (path) => (await stat(join(dir, 'kafka', path))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Rows of all tables of each database. */
export async function rowsIn(shop: ShopRecords): Promise<Readonly<Record<DatabaseName, number>>> {
  const found = await Promise.all(
    Object.entries(shop.databases).map(async ([database, url]) => {
      const tables = await asked<{ name: string }>(
        url,
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
          WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      const counts = tables.map(({ name }) => `(SELECT count(*) FROM ${name})`);
      const [row] = await asked<{ rows: number }>(url, `SELECT (${counts.join(' + ')})::float8 AS rows`);
      return [database, row?.rows ?? 0] as const;
    }),
  );
  return Object.fromEntries(found) as Record<DatabaseName, number>;
}
