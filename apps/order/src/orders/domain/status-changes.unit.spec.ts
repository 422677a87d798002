import { describe, expect, it } from '@jest/globals';
import type { HistoryEntry } from '../../checkout/domain/history.ts';
import type { OrderStatus } from '../../checkout/domain/order.ts';
import { statusChangesOf } from './status-changes.ts';

/** One decision a second, each told by what was said then. */
const decisions = (...saids: string[][]): HistoryEntry[] =>
  saids.map((said, second) => ({
    type: 'Heard',
    service: 'inventory',
    id: '0198c0de-0000-7000-8000-000000000001',
    direction: 'heard',
    at: timeOf(second),
    decidedAt: timeOf(second),
    said,
  }));

const timeOf = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;

const storyOf = (status: OrderStatus, version: number, ...saids: string[][]): string[] =>
  statusChangesOf(status, version, decisions(...saids)).map(
    (change) => `${change.version} ${change.status} ${change.at.slice(17, 19)}`,
  );

describe('the statuses of an order', () => {
  it('are read from what it said', () => {
    expect(
      storyOf(
        'completed',
        4,
        ['OrderPlaced', 'ReserveStock'],
        ['AuthorizePayment'],
        ['OrderConfirmed', 'ArrangeShipment'],
        ['OrderDispatched', 'CapturePayment', 'CommitStock'],
        ['OrderCompleted'],
      ),
    ).toEqual(['1 placed 00', '2 confirmed 02', '3 dispatched 03', '4 completed 04']);
  });

  it('jump from placed to cancelled when there is nothing to undo', () => {
    expect(storyOf('cancelled', 2, ['OrderPlaced', 'ReserveStock'], ['OrderCancelled'])).toEqual([
      '1 placed 00',
      '2 cancelled 01',
    ]);
  });

  it('have cancelling last while the undo is under way', () => {
    expect(storyOf('cancelling', 2, ['OrderPlaced'], ['AuthorizePayment'], ['ReleaseStock'])).toEqual([
      '1 placed 00',
      '2 cancelling 02',
    ]);
  });

  it('have cancelling before cancelled', () => {
    expect(
      storyOf(
        'cancelled',
        4,
        ['OrderPlaced'],
        ['OrderConfirmed'],
        ['CancelShipment'],
        ['VoidPayment'],
        ['OrderCancelled'],
      ),
    ).toEqual(['1 placed 00', '2 confirmed 01', '3 cancelling 02', '4 cancelled 04']);
  });

  it('have cancelling before dispatched when the parcel was faster', () => {
    expect(
      storyOf(
        'completed',
        5,
        ['OrderPlaced'],
        ['OrderConfirmed'],
        ['CancelShipment'],
        ['OrderDispatched'],
        ['OrderCompleted'],
      ),
    ).toEqual(['1 placed 00', '2 confirmed 01', '3 cancelling 02', '4 dispatched 03', '5 completed 04']);
  });
});
