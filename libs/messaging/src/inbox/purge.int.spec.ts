import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MESSAGE_RETENTION_MS } from '@millrace/contracts';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { v7 as uuidv7 } from 'uuid';
import { messagingDatabase } from '../fixtures/index.ts';
import { idOfPosition } from '../runtime/dead-letter.ts';
import { claimFresh } from './inbox.ts';
import { purgeInbox } from './purge.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('the inbox', () => {
  let storage: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    storage = await messagingDatabase('SELECT 1');
    database = new Database({ url: storage.url, applicationName: 'test' });
  });
  afterAll(async () => {
    await database.close();
    await storage.drop();
  });

  const claim = (group: string, ids: readonly string[]): Promise<ReadonlySet<string>> =>
    database.transaction((tx) => claimFresh(tx, group, ids));

  it('knows a message once per group', async () => {
    const ids = [uuidv7(), uuidv7()] as const;
    expect(await claim('a', [ids[0], ids[0]])).toEqual(new Set([ids[0]]));
    expect(await claim('a', ids)).toEqual(new Set([ids[1]]));
    expect(await claim('b', ids)).toEqual(new Set(ids));
  });

  it('forgets the ids that no topic delivers again, and no other', async () => {
    const now = Date.now();
    const at = (ageMs: number): string => uuidv7({ msecs: now - ageMs });
    const positionAt = (ageMs: number): string =>
      idOfPosition({
        topic: 't',
        partition: 0,
        offset: '1',
        timestampMs: now - ageMs,
        key: null,
        value: null,
        headers: {},
      });
    const old = [
      ...Array.from({ length: 25_000 }, () => at(MESSAGE_RETENTION_MS + 2 * DAY_MS)),
      positionAt(MESSAGE_RETENTION_MS + 2 * DAY_MS),
    ];
    const young = [
      at(0),
      at(MESSAGE_RETENTION_MS),
      at(MESSAGE_RETENTION_MS + DAY_MS / 2),
      positionAt(MESSAGE_RETENTION_MS),
    ];
    await claim('purged', [...old, ...young]);
    expect(await purgeInbox(database, new Date(now))).toBe(old.length);
    const { rows } = await database.query<{ message_id: string }>(
      'SELECT message_id FROM messaging.inbox WHERE consumer_group = $1',
      ['purged'],
    );
    expect(rows.map(({ message_id }) => message_id).sort()).toEqual([...young].sort());
    expect(await purgeInbox(database, new Date(now))).toBe(0);
  });
});
