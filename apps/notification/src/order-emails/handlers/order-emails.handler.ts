import { Controller } from '@nestjs/common';
import { noteOnSpan } from '@millrace/observability';
import { type Call, type Handler, Handles, performs, TransientFailure } from '@millrace/messaging';
import { decideNotification, type Notification, type TellingOutcome } from '../domain/decide-notification.ts';
import { composeMail, kindOf, tellingEvents, type TellingEvent } from '../domain/order-mail.ts';
import { OrderEmailsSettings } from '../order-emails.settings.ts';
import { MailServer } from '../smtp/mail-server.ts';
import { notifications } from '../store/notifications.store.ts';

// Longer than connecting, the greeting and one silence of the mail server together, so that its own error tells the reason.
const CALL_TIMEOUT_MS = 20_000;

// Some minutes: what a busy mailbox needs, not what a full one would. Then the customer counts as one who cannot be told.
const ATTEMPTS = 6;
const RETRY = { attempts: ATTEMPTS, firstDelayMs: 1000, maxDelayMs: 60_000, then: 'skip' } as const;

/** Writes to customers about their orders. */
@Controller()
export class OrderEmailsHandler {
  readonly #settings: OrderEmailsSettings;
  readonly #mailServer: MailServer;

  constructor(settings: OrderEmailsSettings, mailServer: MailServer) {
    this.#settings = settings;
    this.#mailServer = mailServer;
  }

  @Handles('notification.order-emails')
  orderEmails(): Handler {
    return performs({
      hears: tellingEvents,
      store: notifications,
      perform: (known, event, call) => this.#tell(known, event, call),
      callName: (known) => (known === undefined ? 'smtp send' : undefined),
      decide: decideNotification,
      // More calls than connections would only wait for each other, inside the time that a call has.
      concurrency: this.#settings.connections,
      timeoutMs: CALL_TIMEOUT_MS,
      retry: RETRY,
    });
  }

  async #tell(known: Notification | undefined, event: TellingEvent, call: Call): Promise<TellingOutcome> {
    if (known !== undefined) return { kind: 'known' };
    const mail = composeMail(this.#settings.templates, event);
    const sending = await this.#mailServer.send(mail, call.idempotencyKey, call.signal);
    noteOnSpan(`mail ${sending.kind}`, { 'millrace.mail.kind': kindOf(event) });
    if (sending.kind === 'sent') return sending;
    if (sending.kind === 'deferred' && call.attempt < ATTEMPTS)
      throw new TransientFailure(`${sending.reason}: try again later`);
    return { ...sending, kind: 'refused' };
  }
}
