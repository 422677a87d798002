import { createServer } from 'node:net';
import { once } from 'node:events';
import { Unavailable } from '@millrace/messaging';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SMTPServerOptions } from 'smtp-server';
import { startSmtpServer, type TestSmtpServer } from '../../../test/smtp-server.ts';
import { MailServer } from './mail-server.ts';

const ID = '0199c0de-0000-7000-8000-000000000001';
const mail = { to: { name: 'Ada', address: 'ada@example.com' }, subject: 'Your order', text: 'Hello Ada\n' };
const { signal } = new AbortController();
const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function smtp(hooks: Parameters<typeof startSmtpServer>[0] = {}): Promise<TestSmtpServer> {
  const server = await startSmtpServer(hooks);
  closing.push(() => server.stop());
  return server;
}

function clientOf(url: string, connections = 2): MailServer {
  const client = new MailServer({ url, from: 'Millrace <orders@millrace.example>', connections });
  closing.push(() => client.close());
  return client;
}

const answering = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });
const refusing: (code: number, text: string) => NonNullable<SMTPServerOptions['onRcptTo']> =
  (code, text) => (_address, _session, callback) =>
    callback(answering(code, text));

describe('the mail server', () => {
  it('gets the mail with a Message-ID made from the id', async () => {
    const server = await smtp();
    expect(await clientOf(server.url).send(mail, ID, signal)).toEqual({ kind: 'sent' });
    expect(server.received).toHaveLength(1);
    expect(server.received[0]?.to).toEqual(['ada@example.com']);
    const head = server.received[0]?.source.split('\r\n\r\n')[0] ?? '';
    expect(head).toContain(`Message-ID: <${ID}@millrace.example>`);
    expect(head).toContain('From: Millrace <orders@millrace.example>');
    expect(head).toContain('Auto-Submitted: auto-generated');
    expect(headersNaming(head, /ada/i)).toEqual(['To']);
  });

  it('gets the same Message-ID when the mail is sent again', async () => {
    const server = await smtp();
    const client = clientOf(server.url);
    await client.send(mail, ID, signal);
    await client.send(mail, ID, signal);
    const ids = server.received.map(({ source }) => /^Message-ID: (.+)$/m.exec(source)?.[1]?.trim());
    expect(new Set(ids)).toEqual(new Set([`<${ID}@millrace.example>`]));
    expect(ids).toHaveLength(2);
  });

  it('gets no header or recipient that a name or a subject smuggles in', async () => {
    const server = await smtp();
    const evil = 'Ada\r\nBcc: eve@example.com\r\n\r\nBuy this';
    const outcome = await clientOf(server.url).send(
      { to: { name: evil, address: 'ada@example.com' }, subject: evil, text: 'Hello\n' },
      ID,
      signal,
    );
    expect(outcome).toEqual({ kind: 'sent' });
    expect(server.received[0]?.to).toEqual(['ada@example.com']);
    const [head = '', body] = server.received[0]?.source.split('\r\n\r\n') ?? [];
    expect(head).not.toMatch(/^Bcc:/im);
    expect(body?.trim()).toBe('Hello');
  });

  it('keeps its connections for the next mails', async () => {
    const server = await smtp();
    const client = clientOf(server.url, 2);
    await Promise.all(Array.from({ length: 50 }, () => client.send(mail, ID, signal)));
    expect(server.received).toHaveLength(50);
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  it.each([
    [550, '5.1.1 no such user ada@example.com', 'refused', 'the mail server answered 550 5.1.1'],
    [450, '4.2.1 mailbox busy', 'deferred', 'the mail server answered 450 4.2.1'],
  ])('answers %i %s: the mail is %s', async (code, text, kind, reason) => {
    const server = await smtp({ onRcptTo: refusing(code, text) });
    expect(await clientOf(server.url).send(mail, ID, signal)).toEqual({ kind, reason, answer: `${code} ${text}` });
  });

  it('refuses one mail and takes the next on the same connection', async () => {
    const server = await smtp({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address === 'ada@example.com' ? answering(550, '5.1.1 unknown') : null),
    });
    const client = clientOf(server.url, 1);
    const other = { ...mail, to: { name: 'Bob', address: 'bob@example.com' } };
    expect(await client.send(mail, ID, signal)).toMatchObject({ kind: 'refused' });
    expect(await client.send(other, ID, signal)).toEqual({ kind: 'sent' });
  });

  it('refuses content after reading it', async () => {
    const server = await smtp({
      onData: (stream, _session, callback) => {
        stream.resume();
        stream.on('end', () => callback(answering(554, '5.7.1 looks like spam')));
      },
    });
    expect(await clientOf(server.url).send(mail, ID, signal)).toMatchObject({ kind: 'refused' });
  });

  it.each([
    ['closes the service', { onRcptTo: refusing(421, '4.3.2 shutting down') }],
    ['has no room', { onRcptTo: refusing(452, '4.3.1 insufficient system storage') }],
    [
      'does not know the sender',
      {
        onMailFrom: ((_address, _session, callback) =>
          callback(answering(550, '5.7.1 not you'))) satisfies SMTPServerOptions['onMailFrom'],
      },
    ],
  ])('is away when it %s', async (_, hooks) => {
    const server = await smtp(hooks);
    await expect(clientOf(server.url).send(mail, ID, signal)).rejects.toThrow(Unavailable);
  });

  it('is away when nothing listens, and back when it does', async () => {
    const { port, url, stop } = await smtp();
    await stop();
    const client = clientOf(url);
    await expect(client.send(mail, ID, signal)).rejects.toThrow(Unavailable);
    const server = await smtp({ port });
    expect(await client.send(mail, ID, signal)).toEqual({ kind: 'sent' });
    expect(server.received).toHaveLength(1);
  });

  it('is away when it restarts between two mails', async () => {
    const first = await smtp();
    const client = clientOf(first.url);
    await client.send(mail, ID, signal);
    await first.stop();
    await smtp({ port: first.port });
    await expect(client.send(mail, ID, signal).catch(() => client.send(mail, ID, signal))).resolves.toEqual({
      kind: 'sent',
    });
  });

  it('is away when it accepts a connection and says nothing until the call is cut short', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing.push(() => void silent.close());
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const startedAt = performance.now();
    await expect(clientOf(`smtp://127.0.0.1:${port}`).send(mail, ID, AbortSignal.timeout(100))).rejects.toThrow(
      Unavailable,
    );
    expect(performance.now() - startedAt).toBeLessThan(2_900);
  });
});

function headersNaming(head: string, what: RegExp): string[] {
  const headers = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  return headers.filter((header) => what.test(header)).map((header) => header.slice(0, header.indexOf(':')));
}
