import { OrderConfirmed } from '@millrace/contracts';
import { given, heard } from '@millrace/messaging/testing';
import { describe, expect, it } from '@jest/globals';
import { confirmed } from '../../../test/telling-events.ts';
import { decideNotification, type Notification, type TellingOutcome } from './decide-notification.ts';

const event = heard(OrderConfirmed, confirmed());
const { orderId } = event.body;
const now = new Date('2026-01-01T12:00:01.000Z');
const sent: Notification = {
  orderId,
  kind: 'order-confirmed',
  status: 'sent',
  messageId: event.id,
  recipient: 'ada@example.com',
  recordedAt: now,
};

describe('telling a customer', () => {
  it('is remembered and said once the mail was sent', () => {
    const { state, said } = whenHeard(undefined, { kind: 'sent' });
    expect(state).toEqual(sent);
    expect(said).toEqual([{ type: 'NotificationSent', body: { orderId, kind: 'order-confirmed', channel: 'email' } }]);
  });

  it('is given up when the mail server refuses, without the recipient in what is said', () => {
    const outcome = {
      kind: 'refused',
      reason: 'the mail server answered 550 5.1.1',
      answer: '550 no ada@example.com',
    } as const;
    const { state, said } = whenHeard(undefined, outcome);
    expect(state).toEqual({ ...sent, status: 'failed', reason: '550 no ada@example.com' });
    expect(said).toMatchObject([
      { type: 'NotificationFailed', body: { orderId, reason: 'the mail server answered 550 5.1.1' } },
    ]);
    expect(JSON.stringify(said)).not.toContain('ada@example.com');
  });

  it.each(['sent', 'known'] as const)('is neither remembered nor said a second time (%s)', (kind) => {
    const { state, said } = whenHeard(sent, { kind });
    expect(state).toBe(sent);
    expect(said).toEqual([]);
  });
});

function whenHeard(known: Notification | undefined, outcome: TellingOutcome) {
  return given(
    (state: Notification | undefined, message: typeof event, context) =>
      decideNotification(state, message, outcome, context),
    known,
  )
    .at(now)
    .when(event);
}
