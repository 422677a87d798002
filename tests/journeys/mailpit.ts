import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MailSink } from '@millrace/embedded';

/** Shows the mails of a mail sink as Mailpit does, as far as the shop's tools read it. The caller closes it. */
export async function mailpitOf(sink: MailSink): Promise<{ readonly url: string; close(): void }> {
  const startedAt = Date.now();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mailpit');
    const from = Number(searchParams.get('start'));
    const messages = sink
      .mails()
      .map(({ messageId, receivedAt }, index) => ({
        ID: String(index),
        MessageID: messageId.slice(1, -1),
        Created: receivedAt,
      }))
      .toReversed()
      .slice(from, from + Number(searchParams.get('limit')));
    const Uptime = Math.floor((Date.now() - startedAt) / 1000);
    const info = { RuntimeStats: { Uptime, MessagesDeleted: sink.total() - sink.mails().length } };
    response.end(JSON.stringify(pathname === '/api/v1/info' ? info : { messages }));
  });
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
