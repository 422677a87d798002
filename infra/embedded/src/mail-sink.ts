import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { codeOf } from './error-code.ts';
import { mailPage } from './mail-sink-page.ts';

export interface Mail {
  /** As the sender wrote it, with its angle brackets; empty when there was none. */
  readonly messageId: string;
  /** Whom the sender named to the SMTP server, whatever the headers of the mail say. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
}

export interface MailSink {
  readonly smtpPort: number;
  readonly httpPort: number;
  /** What is kept, oldest first. A mail is here before its sender is told that it was accepted. */
  mails(): Promise<Mail[]>;
  /** How many mails ever arrived, kept or not. */
  total(): number;
  /** How often each mail ever arrived, by its Message-ID. */
  arrivals(): ReadonlyMap<string, number>;
  /** Closes both ports and all connections; may be called twice. */
  stop(): Promise<void>;
}

export interface MailSinkOptions {
  /** 0 (unless told) takes a free one. */
  readonly smtpPort?: number;
  /** 0 (unless told) takes a free one. */
  readonly httpPort?: number;
}

type Callback = (error?: Error) => void;

const KEPT_MAILS = 1_000;

// A mail of the shop has a few kilobytes. What exceeds this is accepted and cut off, so that 1,000 mails stay below 64 MiB.
const KEPT_MAIL_BYTES = 64 * 1024;

/** A mail as it came. It is taken apart when somebody looks at it: nobody looks at most, and it costs more than receiving them. */
interface KeptMail {
  readonly messageId: string;
  readonly to: readonly string[];
  readonly source: Buffer;
  readonly receivedAt: string;
}

/**
 * A mail server on 127.0.0.1 that accepts every mail, sends none on, and shows the newest 1,000: as a page at `/`, as JSON
 * at `/api/mails` (oldest first, `?to=` keeps those to one address, the header `X-Total-Count` tells how many ever
 * arrived). A mail that arrives twice is there twice. Rejects when a port is taken.
 */
export async function startMailSink(options: MailSinkOptions = {}): Promise<MailSink> {
  const kept: KeptMail[] = [];
  const arrivals = new Map<string, number>();
  let total = 0;

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const source = await readStart(stream);
    const messageId = messageIdOf(source);
    const to = session.envelope.rcptTo.map(({ address }) => address);
    kept.push({ messageId, to, source, receivedAt: new Date().toISOString() });
    if (kept.length > KEPT_MAILS) kept.shift();
    arrivals.set(messageId, (arrivals.get(messageId) ?? 0) + 1);
    total += 1;
  }

  async function answer(stream: SMTPServerDataStream, session: SMTPServerSession, callback: Callback): Promise<void> {
    try {
      await receive(stream, session);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    callback();
  }

  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 200, // a sender keeps its connections open for the next mail
    onData: (stream, session, callback) => void answer(stream, session, callback),
  });
  // A sender that hangs up in the middle is its own problem; unheard, the event would end this process.
  smtp.on('error', () => {});
  const http = createServer((request, response) => void show(request, response));

  async function show(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://127.0.0.1');
    const wanted = url?.searchParams.get('to')?.toLowerCase();
    const isWanted = ({ to }: KeptMail): boolean =>
      wanted === undefined || to.some((one) => one.toLowerCase() === wanted);
    const shown = await Promise.all(kept.filter(isWanted).map(opened));
    if (url?.pathname === '/api/mails') send(response, 200, 'application/json', JSON.stringify(shown), total);
    else if (url?.pathname === '/') send(response, 200, 'text/html', mailPage(shown, total), total);
    else send(response, 404, 'text/plain', 'There is a page at / and JSON at /api/mails.\n', total);
  }

  const closeSmtp = () => new Promise<void>((resolve) => smtp.close(() => resolve()));
  await listen(smtp.server, options.smtpPort ?? 0, 'the SMTP port of the mail sink');
  try {
    await listen(http, options.httpPort ?? 0, 'the HTTP port of the mail sink');
  } catch (error) {
    await closeSmtp();
    throw error;
  }
  return {
    smtpPort: portOf(smtp.server.address()),
    httpPort: portOf(http.address()),
    mails: () => Promise.all(kept.map(opened)),
    total: () => total,
    arrivals: () => arrivals,
    async stop() {
      http.closeAllConnections();
      await Promise.all([closeSmtp(), new Promise<void>((resolve) => http.close(() => resolve()))]);
    },
  };
}

/** Of the header, as the sender wrote it; a long one stands on a line of its own. */
function messageIdOf(source: Buffer): string {
  const end = source.indexOf('\r\n\r\n');
  const header = source.toString('latin1', 0, end === -1 ? source.length : end);
  return /^message-id:\s*(\S+)/im.exec(header)?.[1] ?? '';
}

async function opened({ messageId, to, source, receivedAt }: KeptMail): Promise<Mail> {
  // What is no proper mail is shown as it came.
  const asItCame = (): Partial<Email> => ({ text: source.toString('utf8') });
  const { subject = '', text, html } = await PostalMime.parse(source).catch(asItCame);
  return { messageId, to, subject, text: text ?? html ?? '', receivedAt };
}

async function readStart(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    if (bytes < KEPT_MAIL_BYTES) chunks.push(chunk.subarray(0, KEPT_MAIL_BYTES - bytes));
    bytes += chunk.length;
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, type: string, body: string, total: number): void {
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    'X-Content-Type-Options': 'nosniff',
    'X-Total-Count': total,
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

async function listen(server: Server, port: number, purpose: string): Promise<void> {
  try {
    const listening = once(server, 'listening');
    server.listen(port, '127.0.0.1');
    await listening;
  } catch (error) {
    const isTaken = codeOf(error) === 'EADDRINUSE';
    throw isTaken ? new Error(`Port ${port}, ${purpose}, is in use. Stop its user or choose another.`) : error;
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The mail sink listens on no port.');
  return address.port;
}
