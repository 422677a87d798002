import { describe, expect, it } from '@jest/globals';
import type { HistoryEntry } from '../../checkout/domain/history.ts';
import { timelineOf } from './timeline.ts';

const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();

const entry = (type: string, service: string, saidMs: number, decidedMs: number, ...said: string[]): HistoryEntry => ({
  type,
  service,
  id: '0198c0de-0000-7000-8000-000000000001',
  direction: service === 'order' ? 'local' : 'heard',
  at: at(saidMs),
  decidedAt: at(decidedMs),
  said,
});

const history = [
  entry('OrderAccepted', 'order', 0, 0, 'OrderPlaced', 'ReserveStock'),
  entry('StockReserved', 'inventory', 12, 15, 'AuthorizePayment'),
  entry('PaymentAuthorized', 'payment', 40, 44, 'OrderConfirmed', 'ArrangeShipment'),
];

describe('the timeline of an order', () => {
  it('tells who said what, when, and how long each step took', () => {
    const lines = timelineOf('order', history, []).map(
      ({ service, type, kind, direction, sinceStartMs, sinceLastMs }) =>
        `${sinceStartMs} +${sinceLastMs} ${service} ${direction} ${kind} ${type}`,
    );
    expect(lines).toEqual([
      '0 +0 order heard request OrderAccepted',
      '0 +0 order said event OrderPlaced',
      '0 +0 order said command ReserveStock',
      '12 +12 inventory heard event StockReserved',
      '15 +3 order said command AuthorizePayment',
      '40 +25 payment heard event PaymentAuthorized',
      '44 +4 order said event OrderConfirmed',
      '44 +0 order said command ArrangeShipment',
    ]);
  });

  it('puts what the customer was told where it belongs in time', () => {
    const told = { type: 'NotificationSent', kind: 'order-confirmed', at: new Date(at(42)) };
    const timeline = timelineOf('order', history, [told]);
    expect(timeline.map(({ type }) => type).indexOf('NotificationSent')).toBe(6);
    expect(timeline[6]).toEqual({
      at: at(42),
      service: 'notification',
      type: 'NotificationSent',
      kind: 'event',
      direction: 'heard',
      about: 'order-confirmed',
      sinceStartMs: 42,
      sinceLastMs: 2,
    });
  });

  it('tells a wish of the customer from an expired deadline', () => {
    const kinds = timelineOf(
      'order',
      [entry('CancellationRequested', 'order', 5, 5), entry('DeadlineExpired', 'order', 9, 9)],
      [],
    ).map(({ kind }) => kind);
    expect(kinds).toEqual(['request', 'deadline']);
  });

  it('is empty for an order of which nothing is remembered', () => {
    expect(timelineOf('order', [], [])).toEqual([]);
  });
});
