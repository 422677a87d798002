import type { DeadLetter } from '@millrace/messaging/dead-letters';

/** A letter that differs from an ordinary one in what is given. */
export function letterExample(different: Partial<DeadLetter> = {}): DeadLetter {
  return {
    group: 'order.checkout',
    partition: 0,
    offset: '17',
    timestampMs: Date.parse('2026-11-23T09:00:05Z'),
    record: { key: Buffer.from('order-1'), value: Buffer.from('{}'), headers: {} },
    type: 'millrace.PaymentCaptured.v1',
    messageId: '01a20639-17f1-7351-b4a7-6085757d22f7',
    reason: 'handler-failed',
    error: 'TypeError: cannot read properties of undefined',
    stack: undefined,
    attempts: 8,
    firstFailedAt: new Date('2026-11-23T08:59:00Z'),
    failedAt: new Date('2026-11-23T09:00:00Z'),
    origin: { topic: 'payment.events.v1', partition: 3, offset: '41' },
    redrives: 0,
    redriveOf: undefined,
    failedIn: undefined,
    ...different,
  };
}
