import { OrderCancelled, OrderConfirmed } from '@millrace/contracts';
import type { TestDatabase } from '@millrace/database/testing';
import { TestTopics, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { notificationDatabase, recordOf, startNotification } from './running-notification.ts';
import { startSmtpServer } from './smtp-server.ts';
import { cancelled, confirmed } from './telling-events.ts';

let database: TestDatabase;
let topics: TestTopics;
let service: RunningService;
let smtpPort: number;

beforeAll(async () => {
  topics = new TestTopics();
  const smtp = await startSmtpServer();
  smtpPort = smtp.port;
  await smtp.stop();
  [database] = await Promise.all([notificationDatabase(), topics.create(['notification.order-emails'])]);
  service = await startNotification(database, topics, smtp.url);
});

afterAll(async () => {
  await service.stop();
  await Promise.all([topics.close(), database.drop()]);
});

describe('without a mail server', () => {
  it('mails wait, readiness tells why, and each is sent once when the server is back', async () => {
    const contact = { name: 'Carol', email: 'carol@example.com' };
    const records = [
      recordOf(OrderConfirmed, confirmed({ contact })),
      recordOf(OrderCancelled, cancelled({ contact })),
    ];
    await topics.send(records);
    await until('readiness tells why', async () => /mail server/.test(await groupReadiness()));

    const smtp = await startSmtpServer({ port: smtpPort });
    try {
      await until('both mails are recorded', async () => (await recorded()).length === 2);
      expect(await recorded()).toMatchObject([{ status: 'sent' }, { status: 'sent' }]);
      expect(smtp.received).toHaveLength(2);
      await until('the group is ready', async () => (await groupReadiness()) === 'ok');
      expect(await topics.read('notification.order-emails.dlq')).toEqual([]);
    } finally {
      await smtp.stop();
    }
  });
});

async function groupReadiness(): Promise<string> {
  const answer = await fetch(`${service.url}/health/ready`);
  const { checks } = (await answer.json()) as { checks: Record<string, string> };
  return checks['group notification.order-emails'] ?? '';
}

async function recorded(): Promise<readonly object[]> {
  const answer = await fetch(`${service.url}/notifications`);
  return ((await answer.json()) as { notifications: object[] }).notifications;
}
