import { describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import { accepted } from './checkout.examples.ts';
import { become, hasEnded, orderCancelled, place } from './order.ts';

describe('an order', () => {
  const placed = place({ ...accepted().body, orderId: newId<OrderId>(), placedAt: new Date(0) });

  it('counts a version for every change of its status', () => {
    expect(placed).toMatchObject({ status: 'placed', version: 1 });
    const completed = become(become(become(placed, 'confirmed'), 'dispatched'), 'completed');
    expect(completed).toMatchObject({ status: 'completed', version: 4 });
    expect(placed.version).toBe(1);
  });

  it('that is being cancelled may still leave, and one that left may not be cancelled', () => {
    const cancelling = become(become(placed, 'confirmed'), 'cancelling');
    expect(become(cancelling, 'dispatched').version).toBe(4);
    expect(() => become(become(cancelling, 'dispatched'), 'cancelling')).toThrow(RangeError);
  });

  it('ends completed or cancelled, and nothing follows', () => {
    expect((['completed', 'cancelled'] as const).map(hasEnded)).toEqual([true, true]);
    expect((['placed', 'confirmed', 'dispatched', 'cancelling'] as const).some(hasEnded)).toBe(false);
    expect(() => become(become(placed, 'cancelled'), 'confirmed')).toThrow(RangeError);
  });

  it('tells its version with its news, so that readers can tell old from new', () => {
    expect(orderCancelled(become(placed, 'cancelled'), 'out-of-stock').aggregateVersion).toBe(2);
  });
});
