import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mailpit } from './mailpit.ts';

const T0 = Date.parse('2026-11-22T10:00:00Z');
const MINUTE_MS = 60_000;

interface Mail {
  readonly ID: string;
  readonly MessageID: string;
  readonly Created: string;
}

const mail = (index: number, messageId = `m${index}@millrace`): Mail => ({
  ID: `id-${index}`,
  MessageID: messageId,
  Created: new Date(T0 + index * 1000).toISOString(),
});

describe('the mails in a Mailpit', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  /** Serves these mails, newest first, as Mailpit does; `onPage` may change them between two pages. */
  const start = async (mails: Mail[], stats: object, onPage: () => void = () => {}): Promise<string> => {
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mailpit');
      const from = Number(searchParams.get('start'));
      const page = { messages: mails.slice(from, from + Number(searchParams.get('limit'))) };
      response.end(JSON.stringify(pathname.endsWith('/info') ? { RuntimeStats: stats } : page));
      if (pathname.endsWith('/messages')) onPage();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it('are counted by Message-ID over all pages', async () => {
    const url = await start([mail(4), mail(3, 'm1@millrace'), mail(2), mail(1)], { Uptime: 60, MessagesDeleted: 0 });
    const { byMessageId } = await mailpit({ url, pageSize: 2 }).arrivals();
    expect([...byMessageId].toSorted()).toEqual([
      ['<m1@millrace>', 2],
      ['<m2@millrace>', 1],
      ['<m4@millrace>', 1],
    ]);
  });

  it('are counted once when a new mail moves them to the next page', async () => {
    const mails = [mail(2), mail(1)];
    let pages = 0;
    const url = await start(mails, { Uptime: 60, MessagesDeleted: 0 }, () => {
      pages += 1;
      if (pages === 1) mails.unshift(mail(3));
    });
    const { byMessageId } = await mailpit({ url, pageSize: 1 }).arrivals();
    expect([...byMessageId.values()]).toEqual([1, 1]);
  });

  it('are all there since the start when none was dropped', async () => {
    const url = await start([mail(1)], { Uptime: 90, MessagesDeleted: 0 });
    const { since } = await mailpit({ url }).arrivals();
    expect(Math.abs(Date.now() - 90_000 - since.getTime())).toBeLessThan(2_000);
  });

  it.each([
    ['some were dropped', { Uptime: 1e9, MessagesDeleted: 5 }, {}],
    ['it does not tell whether some were dropped', {}, {}],
    ['there are more than are looked at', { Uptime: 1e9, MessagesDeleted: 0 }, { pageSize: 2, maxMails: 2 }],
  ])('are known since a minute after the oldest when %s', async (_, stats, options) => {
    const url = await start([mail(3), mail(2)], stats);
    const { since } = await mailpit({ url, ...options }).arrivals();
    expect(since).toEqual(new Date(T0 + 2_000 + MINUTE_MS));
  });

  it('are not known yet when there is none and nobody tells why', async () => {
    const url = await start([], {});
    const { since } = await mailpit({ url }).arrivals();
    expect(since.getTime()).toBeGreaterThan(Date.now());
  });
});
