import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MailSink } from '@millrace/embedded';

/** Shows the mails of a mail sink as Mailpit does, as far as the shop's tools read it. The caller closes it. */
export async function mailpitOf(sink: MailSink): Promise<{ readonly url: string; close(): void }> {
  const startedAt = Date.now();
  const answer = async (url: string): Promise<string> => {
    const { pathname, searchParams } = new URL(url, 'http://mailpit');
    const from = Number(searchParams.get('start'));
    const mails = await sink.mails();
    const messages = mails
      .map(({ messageId, receivedAt }, index) => ({
        ID: String(index),
        MessageID: messageId.slice(1, -1),
        Created: receivedAt,
      }))
      .toReversed()
      .slice(from, from + Number(searchParams.get('limit')));
    const Uptime = Math.floor((Date.now() - startedAt) / 1000);
    const info = { RuntimeStats: { Uptime, MessagesDeleted: sink.total() - mails.length } };
    return JSON.stringify(pathname === '/api/v1/info' ? info : { messages });
  };
  const server = createServer(({ url = '/' }, response) => void answer(url).then((text) => response.end(text)));
  const listening = once(server, 'listening');
  server.listen(0, '127.0.0.1');
  await listening;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
