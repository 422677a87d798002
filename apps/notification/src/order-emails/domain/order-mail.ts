import {
  type CancellationReason,
  type MessageOf,
  type NotificationKind,
  OrderCancelled,
  OrderConfirmed,
  OrderDispatched,
  type PricedLines,
  times,
} from '@millrace/contracts';
import { moneyText } from './money-text.ts';
import type { Template } from './template.ts';

/** What customers are told about: each of these leads to one mail. */
export const tellingEvents = [OrderConfirmed, OrderCancelled, OrderDispatched] as const;

export type TellingEvent = MessageOf<(typeof tellingEvents)[number]>;

/** What the template of each kind may say. */
export const placeholders = {
  'order-confirmed': ['orderId', 'name', 'lines', 'total'],
  'order-cancelled': ['orderId', 'name', 'reason', 'total'],
  'order-dispatched': ['orderId', 'name', 'carrier', 'trackingNumber', 'tooLate'],
} as const satisfies Record<NotificationKind, readonly string[]>;

export type Templates = { readonly [Kind in NotificationKind]: Template<(typeof placeholders)[Kind][number]> };

/** One mail to one customer, in plain text. */
export interface OrderMail {
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
}

export function kindOf(event: TellingEvent): NotificationKind {
  switch (event.type) {
    case 'OrderConfirmed':
      return 'order-confirmed';
    case 'OrderCancelled':
      return 'order-cancelled';
    case 'OrderDispatched':
      return 'order-dispatched';
  }
}

/** The mail that tells a customer about the event. */
export function composeMail(templates: Templates, event: TellingEvent): OrderMail {
  const { contact } = event.body;
  return { to: { name: oneLine(contact.name), address: contact.email }, ...render(templates, event) };
}

function render(templates: Templates, event: TellingEvent): { subject: string; text: string } {
  const name = oneLine(event.body.contact.name);
  switch (event.type) {
    case 'OrderConfirmed': {
      const { orderId, lines, total } = event.body;
      return templates['order-confirmed'].render({ orderId, name, lines: linesText(lines), total: moneyText(total) });
    }
    case 'OrderCancelled': {
      const { orderId, reason, total } = event.body;
      return templates['order-cancelled'].render({ orderId, name, reason: REASONS[reason], total: moneyText(total) });
    }
    case 'OrderDispatched': {
      const { orderId, carrier, trackingNumber, cancellationCameTooLate } = event.body;
      return templates['order-dispatched'].render({
        orderId,
        name,
        carrier: oneLine(carrier),
        trackingNumber: oneLine(trackingNumber),
        tooLate: cancellationCameTooLate ? TOO_LATE : '',
      });
    }
  }
}

const REASONS: Readonly<Record<CancellationReason, string>> = {
  'out-of-stock': 'something you ordered is sold out.',
  'payment-declined': 'your payment was declined. Your bank can tell you why.',
  'shipment-refused': 'no carrier delivers to your address.',
  'customer-request': 'you asked us to.',
  'timed-out': 'we could not finish it in time. We are sorry; please order again.',
  'stock-hold-expired': 'we could no longer keep the goods aside for you. We are sorry; please order again.',
};

const TOO_LATE = `
You asked us to cancel this order. Your wish reached us after the parcel had been handed over, so we could not stop it.
You are welcome to send it back.
`;

function linesText(lines: PricedLines): string {
  return lines
    .map(
      ({ name, quantity, unitPrice }) => `  ${quantity} × ${oneLine(name)}: ${moneyText(times(unitPrice, quantity))}`,
    )
    .join('\n');
}

// A name with line breaks could write paragraphs of its own into our mail.
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}
