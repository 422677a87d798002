import { NotificationFailed, type NotificationKind, NotificationSent, type OrderId } from '@millrace/contracts';
import type { Decision, DecisionContext } from '@millrace/messaging/decisions';
import { kindOf, type TellingEvent } from './order-mail.ts';

/** What is remembered of one order and kind, once the customer was told or could not be. */
export interface Notification {
  readonly orderId: OrderId;
  readonly kind: NotificationKind;
  readonly status: 'sent' | 'failed';
  readonly messageId: string;
  readonly recipient: string;
  readonly recordedAt: Date;
  /** The mail server's own words; present exactly when it refused. */
  readonly reason?: string;
}

/** How telling a customer ended. */
export type TellingOutcome =
  | { readonly kind: 'sent' }
  /** `reason` is safe to publish; `answer` may repeat the recipient's address. */
  | { readonly kind: 'refused'; readonly reason: string; readonly answer: string }
  /** Nothing was sent: the customer had been told before, or could not be. */
  | { readonly kind: 'known' };

/** Records how it ended and says it, once per order and kind. */
export function decideNotification(
  known: Notification | undefined,
  event: TellingEvent,
  outcome: TellingOutcome,
  { now }: DecisionContext,
): Decision<Notification | undefined> {
  if (known !== undefined || outcome.kind === 'known') return { state: known, messages: [] };
  const { orderId, contact } = event.body;
  const kind = kindOf(event);
  const told = { orderId, kind, messageId: event.id, recipient: contact.email, recordedAt: now };
  if (outcome.kind === 'sent') {
    return {
      state: { ...told, status: 'sent' },
      messages: [NotificationSent({ orderId, kind, channel: 'email' })],
    };
  }
  return {
    state: { ...told, status: 'failed', reason: outcome.answer },
    messages: [NotificationFailed({ orderId, kind, channel: 'email', reason: outcome.reason })],
  };
}
