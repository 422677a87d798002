import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { messagingDatabase } from '../fixtures/index.ts';
import { until } from '../testing/until.ts';
import { OutboxWatch } from './outbox-watch.ts';

describe('the watch over an outbox', () => {
  let storage: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    storage = await messagingDatabase('SELECT 1');
    database = new Database({ url: storage.url, applicationName: 'test' });
  });
  afterEach(async () => {
    await database.query('TRUNCATE messaging.outbox');
  });
  afterAll(async () => {
    await database.close();
    await storage.drop();
  });

  /** The database of the tests, however long it takes: a look that is given up forgets the looks before it. */
  const patient: Pick<Database, 'queryWithin'> = {
    queryWithin: (_withinMs, query) => database.queryWithin(30_000, query),
  };
  const store = (count: number, ageSeconds = 0): Promise<unknown> =>
    database.query(
      `INSERT INTO messaging.outbox (shard, topic, key, value, headers, created_at)
       SELECT 0, 't', 'k', 'v', '{}', clock_timestamp() - make_interval(secs => $2) FROM generate_series(1, $1)`,
      [count, ageSeconds],
    );

  it('knows how many messages wait, as far as it is to count, and how old the oldest is', async () => {
    await store(3, 90);
    await store(4);
    const watch = new OutboxWatch(database, { countUpTo: 5 });
    const { messages, oldestSeconds } = await until('it has looked', () => watch.backlog);
    expect(messages).toBe(5);
    expect(oldestSeconds).toBeGreaterThanOrEqual(90);
    const { rows } = await database.query<{ seconds: number }>(
      'SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS seconds FROM messaging.outbox',
    );
    expect(oldestSeconds).toBeLessThanOrEqual(rows[0]?.seconds ?? 0);
  });

  it('knows how fast it becomes smaller', async () => {
    await store(1000);
    let nowMs = 0;
    const watch = new OutboxWatch(patient, { countUpTo: 10_000, nowMs: () => nowMs });
    await until('it has looked', () => watch.backlog?.messages === 1000);
    await database.query('DELETE FROM messaging.outbox WHERE seq IN (SELECT seq FROM messaging.outbox LIMIT 600)');
    nowMs = 500;
    await until('it has looked again', () => watch.backlog?.messages === 400);
    // Half a second tells of a single batch.
    expect(watch.backlog?.shrinksPerSecond).toBe(0);
    nowMs = 2_000;
    const speed = await until('it has seen it for a second', () => {
      const { shrinksPerSecond = 0 } = watch.backlog ?? {};
      return shrinksPerSecond > 0 && shrinksPerSecond;
    });
    expect(speed).toBe(300);
  });

  it('looks a few times a second, however often it is asked, and never twice at once', async () => {
    let looks = 0;
    const answers: (() => void)[] = [];
    let nowMs = 0;
    const watch = new OutboxWatch(
      {
        queryWithin: <R>() => {
          looks += 1;
          return new Promise<readonly R[]>((resolve) =>
            answers.push(() => resolve([{ messages: looks, seconds: null } as R])),
          );
        },
      },
      { countUpTo: 10, nowMs: () => nowMs },
    );
    for (let asked = 0; asked < 10_000; asked++) void watch.backlog;
    expect(looks).toBe(1);
    nowMs = 400;
    expect(watch.backlog).toBeUndefined();
    expect(looks).toBe(1);
    answers.shift()?.();
    await until('it has seen the answer', () => watch.backlog);
    expect(watch.backlog).toEqual({ messages: 1, oldestSeconds: 0, shrinksPerSecond: 0 });
    for (let asked = 0; asked < 10_000; asked++) void watch.backlog;
    expect(looks).toBe(2);
  });

  it('knows nothing when it has not looked for a while, or the database is away', async () => {
    let nowMs = 0;
    const watch = new OutboxWatch(patient, { countUpTo: 10, nowMs: () => nowMs });
    await until('it has looked', () => watch.backlog);
    nowMs = 60_000;
    expect(watch.backlog).toBeUndefined();
    await until('it has looked again', () => watch.backlog);
    const nowhere = new Database({ url: 'postgres://127.0.0.1:1/none', applicationName: 'test' });
    const blind = new OutboxWatch(nowhere, { countUpTo: 10 });
    expect(blind.backlog).toBeUndefined();
    await nowhere.close();
    expect(blind.backlog).toBeUndefined();
  });
});
