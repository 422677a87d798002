import { newId, OrderCancelled, OrderConfirmed, OrderDispatched, topics as declared } from '@millrace/contracts';
import type { TestDatabase } from '@millrace/database/testing';
import { TestTopics, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { notificationDatabase, recordOf, startNotification } from './running-notification.ts';
import { startSmtpServer, type TestSmtpServer } from './smtp-server.ts';
import { cancelled, confirmed, dispatched } from './telling-events.ts';

let database: TestDatabase;
let topics: TestTopics;
let smtp: TestSmtpServer;
let service: RunningService;

const UNKNOWN = 'nobody@example.com';

beforeAll(async () => {
  topics = new TestTopics();
  [database, smtp] = await Promise.all([
    notificationDatabase(),
    startSmtpServer({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address === UNKNOWN ? Object.assign(new Error('5.1.1 unknown'), { responseCode: 550 }) : null),
    }),
    topics.create(['notification.order-emails']),
  ]);
  service = await startNotification(database, topics, smtp.url);
});

afterAll(async () => {
  await service.stop();
  await Promise.all([smtp.stop(), topics.close(), database.drop()]);
});

describe('the notification service', () => {
  it('tells a customer once about each kind of event, however often the event comes', async () => {
    const contact = { name: 'Ada', email: 'ada@example.com' };
    const first = confirmed({ contact });
    const { orderId } = first;
    const record = recordOf(OrderConfirmed, first);
    await topics.send([
      record,
      record,
      recordOf(OrderConfirmed, first),
      recordOf(OrderDispatched, dispatched({ contact, orderId })),
      record,
    ]);
    const said = await until('both mails are told', () => aboutOrder(orderId, 2));
    expect(said.map(({ headers, body }) => [headers['ce_type'], body])).toEqual([
      ['millrace.NotificationSent.v1', { orderId, kind: 'order-confirmed', channel: 'email' }],
      ['millrace.NotificationSent.v1', { orderId, kind: 'order-dispatched', channel: 'email' }],
    ]);
    expect(mailsTo('ada@example.com')).toHaveLength(2);
    const [mail] = mailsTo('ada@example.com');
    expect(mail).toContain(`Message-ID: <${record.headers['ce_id']}@millrace.example>`);
  });

  it('gives up on an address that the mail server does not know, and says so', async () => {
    const body = cancelled({ contact: { name: 'Nobody', email: UNKNOWN } });
    await topics.send([recordOf(OrderCancelled, body)]);
    const [said] = await until('the failure is told', () => aboutOrder(body.orderId, 1));
    expect(said?.headers['ce_type']).toBe('millrace.NotificationFailed.v1');
    expect(said?.body).toMatchObject({ kind: 'order-cancelled', reason: 'the mail server answered 550 5.1.1' });
    const { notifications } = await get(`/notifications?orderId=${body.orderId}`);
    expect(notifications).toMatchObject([{ status: 'failed', recipient: UNKNOWN, reason: '550 5.1.1 unknown' }]);
  });

  it('shows what was sent to whom, page by page', async () => {
    const contact = { name: 'Bob', email: 'bob@example.com' };
    await topics.send(Array.from({ length: 5 }, () => recordOf(OrderConfirmed, confirmed({ contact }))));
    await until('all are sent', () => mailsTo('bob@example.com').length === 5);
    const all = await until('all are recorded', async () => {
      const { notifications } = await get('/notifications?recipient=bob@example.com');
      return notifications.length === 5 ? notifications : undefined;
    });
    const paged = [];
    for (let path: string | undefined = '/notifications?recipient=bob@example.com&limit=2'; path !== undefined;) {
      const { notifications, next }: Page = await get(path);
      paged.push(...notifications);
      path = next === undefined ? undefined : `/notifications?recipient=bob@example.com&limit=2&after=${next}`;
    }
    expect(paged).toEqual(all);
  });

  it.each(['orderId=1', 'recipient=bob', 'limit=0', 'limit=201', 'after=abc', `after=${'A'.repeat(300)}`])(
    'refuses the query %s with a problem',
    async (query) => {
      const answer = await fetch(`${service.url}/notifications?${query}`);
      expect(answer.status).toBe(400);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(await answer.json()).toMatchObject({ errors: [{ path: query.slice(0, query.indexOf('=')) }] });
    },
  );

  it('describes its API', async () => {
    const { openapi, paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, unknown>;
    };
    expect(openapi).toBe('3.1.0');
    expect(paths).toHaveProperty(['/notifications', 'get']);
  });

  it('answers with nothing for an order that it never heard of', async () => {
    expect(await get(`/notifications?orderId=${newId()}`)).toEqual({ notifications: [] });
  });
});

type Page = { readonly notifications: readonly unknown[]; readonly next?: string };

async function get(path: string): Promise<Page> {
  const answer = await fetch(`${service.url}${path}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Page;
}

function mailsTo(address: string): string[] {
  return smtp.received.filter(({ to }) => to.includes(address)).map(({ source }) => source);
}

/** What was said about the order, when it is as much as expected. */
async function aboutOrder(orderId: string, count: number) {
  const records = await topics.read(declared.notificationEvents.name);
  const about = records.filter(({ key }) => key === orderId);
  return about.length < count
    ? undefined
    : about.map(({ headers, value }) => ({ headers, body: JSON.parse(String(value)) as unknown }));
}
