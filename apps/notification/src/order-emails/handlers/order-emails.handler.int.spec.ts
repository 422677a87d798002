import { fileURLToPath } from 'node:url';
import { OrderConfirmed } from '@millrace/contracts';
import type { PerformHandler } from '@millrace/messaging';
import { heard } from '@millrace/messaging/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSmtpServer, type TestSmtpServer } from '../../../test/smtp-server.ts';
import { confirmed } from '../../../test/telling-events.ts';
import type { Notification, TellingOutcome } from '../domain/decide-notification.ts';
import type { TellingEvent } from '../domain/order-mail.ts';
import { OrderEmailsSettings } from '../order-emails.settings.ts';
import { MailServer } from '../smtp/mail-server.ts';
import { readTemplates } from '../templates/read-templates.ts';
import { OrderEmailsHandler } from './order-emails.handler.ts';

const templates = readTemplates(fileURLToPath(new URL('../../../templates', import.meta.url)));
const event = heard(OrderConfirmed, confirmed());
let smtp: TestSmtpServer;
let mailServer: MailServer;
let handler: PerformHandler<Notification | undefined, TellingEvent, TellingOutcome>;

beforeEach(async () => {
  smtp = await startSmtpServer({
    onRcptTo: (_address, _session, callback) =>
      callback(Object.assign(new Error('4.2.2 mailbox full'), { responseCode: 452 })),
  });
  mailServer = new MailServer({ url: smtp.url, from: 'orders@millrace.example', connections: 1 });
  const settings = new OrderEmailsSettings({ templates, connections: 1 });
  handler = new OrderEmailsHandler(settings, mailServer).orderEmails() as typeof handler;
});

afterEach(async () => {
  mailServer.close();
  await smtp.stop();
});

describe('a mailbox that is full', () => {
  it('is tried again until the last attempt, and then given up', async () => {
    const tell = (attempt: number) =>
      handler.perform(undefined, event, { idempotencyKey: event.id, attempt, signal: new AbortController().signal });
    for (let attempt = 1; attempt < handler.retry.attempts; attempt += 1) {
      await expect(tell(attempt)).rejects.toThrow('the mail server answered 452 4.2.2: try again later');
    }
    expect(await tell(handler.retry.attempts)).toMatchObject({ kind: 'refused', answer: '452 4.2.2 mailbox full' });
  });
});

describe('a customer who was told', () => {
  it('is not written to again: the mail server is not even asked', async () => {
    const known = {
      orderId: event.body.orderId,
      kind: 'order-confirmed',
      status: 'sent',
      messageId: event.id,
      recipient: 'ada@example.com',
      recordedAt: new Date(0),
    } as const;
    const call = { idempotencyKey: event.id, attempt: 1, signal: new AbortController().signal };
    expect(await handler.perform(known, event, call)).toEqual({ kind: 'known' });
    expect(smtp.connections()).toBe(0);
  });
});
