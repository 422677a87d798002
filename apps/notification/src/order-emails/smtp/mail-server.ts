import { Unavailable } from '@millrace/messaging';
import { createTransport, type Transporter } from 'nodemailer';
import type { OrderMail } from '../domain/order-mail.ts';
import { smtpFailureOf } from './smtp-failure.ts';

export interface MailServerOptions {
  /** `smtp://` (encrypted when the server offers it) or `smtps://`. */
  readonly url: string;
  /** The sender, such as `Millrace <orders@millrace.example>`; the part after its `@` ends every Message-ID. */
  readonly from: string;
  /** Open at most; each sends one mail at a time. */
  readonly connections: number;
}

/** How sending ended, when it ended. `answer` holds the server's words, which may repeat the recipient's address. */
export type Sending =
  | { readonly kind: 'sent' }
  | { readonly kind: 'deferred' | 'refused'; readonly reason: string; readonly answer: string };

// Each bounds one silence of the server; together they stay below what a call may take.
const CONNECT_TIMEOUT_MS = 3_000;
const GREETING_TIMEOUT_MS = 3_000;
const SILENCE_TIMEOUT_MS = 10_000;

// Servers close idle connections after minutes; ours are gone before a mail can meet one that is half closed.
const IDLE_CONNECTION_MS = 60_000;

/** The mail server, by SMTP over a pool of connections. Whoever made it closes it. */
export class MailServer {
  readonly #transport: Transporter;
  readonly #domain: string;

  constructor({ url, from, connections }: MailServerOptions) {
    this.#domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost';
    this.#transport = createTransport(
      {
        url,
        pool: true,
        maxConnections: connections,
        maxMessages: Number.MAX_SAFE_INTEGER,
        // A mail whose connection broke is sent again by whoever asked for it, under the same Message-ID.
        maxRequeues: 0,
        idleTimeout: IDLE_CONNECTION_MS,
        connectionTimeout: CONNECT_TIMEOUT_MS,
        dnsTimeout: CONNECT_TIMEOUT_MS,
        greetingTimeout: GREETING_TIMEOUT_MS,
        socketTimeout: SILENCE_TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
      },
      { from },
    );
  }

  /**
   * Sends a mail whose Message-ID is made from `id`, so that a mail that had to be sent twice is recognizable as one.
   * @throws {Unavailable} the server is away or takes no mail from us. Whether it took this one is then not known.
   */
  async send(mail: OrderMail, id: string, signal: AbortSignal): Promise<Sending> {
    try {
      await this.#transport.sendMail({
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        messageId: `<${id}@${this.#domain}>`,
        // RFC 3834: no out-of-office notes to this, please.
        headers: { 'Auto-Submitted': 'auto-generated' },
        signal,
      });
      return { kind: 'sent' };
    } catch (error) {
      const failure = smtpFailureOf(error);
      if (failure.kind !== 'away') return failure;
      const why = error instanceof Error ? error.message : String(error);
      throw new Unavailable(`the mail server takes no mail: ${why}`, { cause: error });
    }
  }

  /** Lets mails under way finish, then ends the connections. */
  close(): void {
    this.#transport.close();
  }
}
