import { describe, expect, it } from '@jest/globals';
import { Address, newId, type OrderId, Quantities } from '@millrace/contracts';
import type { BookingCall } from '../carrier.ts';
import { InProcessCarrier } from './in-process-carrier.ts';

const carrier = new InProcessCarrier({
  refusedPostcodes: new Set(['99999']),
  dispatchAfterMs: 1_500,
  deliverAfterMs: 3_000,
});

const booking = (postcode: string): BookingCall => ({
  orderId: newId<OrderId>(),
  parcel: {
    lines: Quantities.parse([{ sku: 'TEA-1', quantity: 2 }]),
    address: Address.parse({ name: 'Ada', street: '1 Mill Lane', postcode, city: 'Berlin', country: 'DE' }),
  },
  idempotencyKey: newId(),
  signal: new AbortController().signal,
});

describe('the in-process carrier', () => {
  it('accepts a parcel and collects it after the dispatch delay', async () => {
    const before = Date.now();
    const answer = await carrier.book(booking('10115'));
    expect(answer).toMatchObject({ kind: 'accepted', trackingNumber: expect.stringMatching(/^MP[0-9A-F]{16}$/) });
    const dueMs = answer.kind === 'accepted' ? (answer.nextReportAt?.getTime() ?? 0) : 0;
    expect(dueMs).toBeGreaterThanOrEqual(before + 1_500);
    expect(dueMs).toBeLessThanOrEqual(Date.now() + 1_500);
  });

  it('gives a repeated call the same tracking number, and another call another one', async () => {
    const call = booking('10115');
    const [first, again, other] = await Promise.all([
      carrier.book(call),
      carrier.book(call),
      carrier.book(booking('10115')),
    ]);
    const numbers = [first, again, other].map((answer) =>
      answer.kind === 'accepted' ? answer.trackingNumber : undefined,
    );
    expect(numbers[0]).toBe(numbers[1]);
    expect(numbers[0]).not.toBe(numbers[2]);
  });

  it('refuses postcodes that it does not serve', async () => {
    expect(await carrier.book(booking('99999'))).toEqual({ kind: 'refused', reason: 'postcode-not-served' });
  });

  it('collects first and delivers after the delivery delay', () => {
    const now = new Date('2026-01-01T00:00:00.000Z');
    expect(carrier.reportOn('arranged', now)).toEqual({
      event: 'collected',
      nextReportAt: new Date('2026-01-01T00:00:03.000Z'),
    });
    expect(carrier.reportOn('dispatched', now)).toEqual({ event: 'delivered' });
  });
});
