import { describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import { accepted, messagesAbout } from './checkout.examples.ts';
import { entryOf, historyText, parseHistory } from './history.ts';
import { orderPlaced, place } from './order.ts';

describe('history', () => {
  const orderId = newId<OrderId>();
  const order = accepted(orderId);
  const now = new Date('2026-01-01T00:00:00.123Z');
  const placed = orderPlaced(place({ ...order.body, orderId, placedAt: now }));

  it('reads back what was written, also when it was written in pieces', () => {
    const entries = [entryOf(order, [placed, placed], now), entryOf(messagesAbout(orderId).ShipmentArranged, [], now)];
    expect(parseHistory(historyText(entries.slice(0, 1)) + historyText(entries.slice(1)))).toEqual(entries);
    expect(entries.map(({ direction, said }) => ({ direction, said }))).toEqual([
      { direction: 'local', said: ['OrderPlaced', 'OrderPlaced'] },
      { direction: 'heard', said: [] },
    ]);
  });

  it('of nothing is empty', () => {
    expect(parseHistory('')).toEqual([]);
    expect(historyText([])).toBe('');
  });
});
