import { fileURLToPath } from 'node:url';
import { OrderCancelled, OrderConfirmed } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { driftOf, migrateDeploy } from '@millrace/database/migrate';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { heard } from '@millrace/messaging/testing';
import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelled, confirmed } from '../../../test/telling-events.ts';
import { PrismaClient } from '../../generated/prisma/client.ts';
import type { Notification } from '../domain/decide-notification.ts';
import { kindOf, type TellingEvent } from '../domain/order-mail.ts';
import { NotificationQueries, type PageEnd } from './notification.queries.ts';
import { notifications } from './notifications.store.ts';

const prisma = (path: string) => fileURLToPath(new URL(`../../../prisma/${path}`, import.meta.url));
let scratch: TestDatabase;
let database: Database;
let queries: NotificationQueries;

beforeAll(async () => {
  scratch = await createTestDatabase();
  await migrateDeploy({
    url: scratch.url,
    schemaPath: prisma('schema.prisma'),
    migrationDirectories: [prisma('migrations')],
  });
  database = new Database({ url: scratch.url, applicationName: 'notifications-test' });
  queries = new NotificationQueries(new PrismaClient({ adapter: new PrismaPg(database.pool) }));
});

afterAll(async () => {
  await database.close();
  await scratch.drop();
});

beforeEach(() => database.query('TRUNCATE notification'));

describe('the notifications', () => {
  it('are in a table as the Prisma schema describes it', async () => {
    expect(await driftOf(scratch.url, prisma('schema.prisma'))).toBe('');
  });

  it('are remembered by order and kind', async () => {
    const first = heard(OrderConfirmed, confirmed());
    const second = heard(OrderCancelled, cancelled({ orderId: first.body.orderId }));
    const other = heard(OrderCancelled, cancelled());
    const failed = { ...sent(second), status: 'failed', reason: '550 5.1.1 unknown' } as const;
    await remember([
      [first, sent(first)],
      [second, failed],
    ]);
    const states = await notifications.load(database, [first, second, other], { lock: false });
    expect(states.of(first)).toEqual(sent(first));
    expect(states.of(second)).toEqual(failed);
    expect(states.of(other)).toBeUndefined();
  });

  it('keep the first of two that two replicas record for the same order and kind', async () => {
    const event = heard(OrderConfirmed, confirmed());
    const again = heard(OrderConfirmed, event.body);
    await remember([[event, sent(event)]]);
    await database.transaction(async (tx) => {
      const states = await notifications.load(database, [], { lock: true });
      states.change(again, sent(again));
      await states.save(tx);
    });
    const states = await notifications.load(database, [event], { lock: false });
    expect(states.of(event)?.messageId).toBe(event.id);
  });

  it.each([
    ['a failure without a reason', { status: 'failed' }],
    ['a mail that was sent and has a reason', { reason: 'why' }],
    ['an unknown kind', { kind: 'order-eaten' }],
  ])('refuse %s, even if the code is wrong', async (_, wrong) => {
    const event = heard(OrderConfirmed, confirmed());
    await expect(remember([[event, { ...sent(event), ...wrong } as Notification]])).rejects.toThrow(/check constraint/);
  });

  it('are read page by page, the newest first, by order and by recipient', async () => {
    const events = Array.from({ length: 7 }, (_, index) => heard(OrderConfirmed, confirmed(contactOf(index))));
    // Four at one instant: the order must not depend on time alone.
    await remember(events.map((event, index) => [event, { ...sent(event), recordedAt: new Date(Math.min(index, 3)) }]));
    const all = await queries.page({}, 100, undefined);
    expect(all.map(({ recordedAt }) => recordedAt.getTime())).toEqual([3, 3, 3, 3, 2, 1, 0]);
    expect(await inPagesOf(2)).toEqual(all);
    expect(await queries.page({ recipient: 'bob@example.com' }, 100, undefined)).toHaveLength(3);
    const [event] = events;
    expect(await queries.page({ orderId: event?.body.orderId }, 100, undefined)).toMatchObject([
      { messageId: event?.id },
    ]);
  });
});

function contactOf(index: number) {
  return { contact: { name: 'Somebody', email: index % 2 === 0 ? 'ada@example.com' : 'bob@example.com' } };
}

async function inPagesOf(size: number) {
  const pages = [];
  for (let after: PageEnd | undefined; ;) {
    const page = await queries.page({}, size, after);
    pages.push(...page);
    after = page.at(-1);
    if (page.length < size) return pages;
  }
}

function sent(event: TellingEvent): Notification {
  return {
    orderId: event.body.orderId,
    kind: kindOf(event),
    status: 'sent',
    messageId: event.id,
    recipient: event.body.contact.email,
    recordedAt: new Date('2026-01-01T12:00:00.123Z'),
  };
}

async function remember(changes: readonly (readonly [TellingEvent, Notification])[]): Promise<void> {
  await database.transaction(async (tx) => {
    const states = await notifications.load(
      tx,
      changes.map(([event]) => event),
      { lock: true },
    );
    for (const [event, notification] of changes) states.change(event, notification);
    await states.save(tx);
  });
}
