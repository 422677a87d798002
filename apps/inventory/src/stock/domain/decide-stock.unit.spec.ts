import {
  CommitStock,
  newId,
  type OrderId,
  type Quantities,
  ReleaseStock,
  ReserveStock,
  type Sku,
  StockReserved,
} from '@millrace/contracts';
import { localMessage, PermanentFailure } from '@millrace/messaging';
import { given, heard } from '@millrace/messaging/testing';
import { describe, expect, it } from '@jest/globals';
import { type HoldExpired, type StockMessage, stockRules, type StockState } from './decide-stock.ts';
import type { StockItem } from './stock-item.ts';

const HOLD_MS = 60_000;
const NOW = new Date('2026-01-01T00:00:00.000Z');
const HELD_UNTIL = '2026-01-01T00:01:00.000Z';
const MUG = 'MUG-BLUE' as Sku;
const TEA = 'TEA-GREEN-100' as Sku;
const orderId = newId<OrderId>();

const decide = stockRules({ holdMs: HOLD_MS });

const shelf = (...items: readonly (readonly [Sku, number, number?])[]): StockState => ({
  reservation: undefined,
  items: new Map(items.map(([sku, onHand, reserved = 0]): [Sku, StockItem] => [sku, { sku, onHand, reserved }])),
});

const line = (sku: Sku, quantity: number) => ({ sku, quantity });
const reserve = (...lines: Quantities) => heard(ReserveStock, { orderId, lines });
const release = () => heard(ReleaseStock, { orderId });
const commit = () => heard(CommitStock, { orderId });
const holdExpired = (): HoldExpired =>
  localMessage('HoldExpired', orderId, { orderId }, { source: 'inventory', now: NOW });

const story = (state: StockState) => given<StockState, StockMessage>(decide, state).at(NOW);
const stockOf = ({ items }: StockState, sku: Sku) => items.get(sku);

describe('reserving', () => {
  it('holds all lines of an order', () => {
    const { state, said } = story(shelf([MUG, 5], [TEA, 9, 1])).when(reserve(line(MUG, 2), line(TEA, 8)));
    expect(said).toEqual([
      { type: 'StockReserved', body: { orderId, lines: [line(MUG, 2), line(TEA, 8)], heldUntil: HELD_UNTIL } },
    ]);
    expect(stockOf(state, MUG)).toEqual({ sku: MUG, onHand: 5, reserved: 2 });
    expect(stockOf(state, TEA)).toEqual({ sku: TEA, onHand: 9, reserved: 9 });
  });

  it('holds nothing when one line cannot be held, and names what is missing', () => {
    const { state, said } = story(shelf([MUG, 5], [TEA, 9, 3])).when(reserve(line(MUG, 2), line(TEA, 7)));
    expect(said).toEqual([
      { type: 'StockRejected', body: { orderId, missing: [{ sku: TEA, requested: 7, available: 6 }] } },
    ]);
    expect(stockOf(state, MUG)?.reserved).toBe(0);
    expect(stockOf(state, TEA)?.reserved).toBe(3);
  });

  it('counts a product once that two lines name', () => {
    const lines = [line(MUG, 3), line(MUG, 3)];
    expect(story(shelf([MUG, 5])).when(reserve(...lines)).said).toEqual([
      { type: 'StockRejected', body: { orderId, missing: [{ sku: MUG, requested: 6, available: 5 }] } },
    ]);
    expect(
      story(shelf([MUG, 6]))
        .when(reserve(...lines))
        .state.items.get(MUG)?.reserved,
    ).toBe(6);
  });

  it('says what its contract allows when two lines together exceed the largest line', () => {
    const { said } = story(shelf([MUG, 5000])).when(reserve(line(MUG, 1000), line(MUG, 1000)));
    expect(StockReserved.schema.safeParse(said[0]?.body).success).toBe(true);
  });

  it('has none of a product it does not know', () => {
    expect(story(shelf()).when(reserve(line(MUG, 1))).said).toEqual([
      { type: 'StockRejected', body: { orderId, missing: [{ sku: MUG, requested: 1, available: 0 }] } },
    ]);
  });

  it('holds stock once and answers the same when the same command arrives twice', () => {
    const { state, said } = story(shelf([MUG, 5]))
      .when(reserve(line(MUG, 2)))
      .at(new Date(NOW.getTime() + 5000))
      .when(reserve(line(MUG, 2)));
    expect(said[1]).toEqual(said[0]);
    expect(stockOf(state, MUG)?.reserved).toBe(2);
  });

  it('answers a rejected order the same again, even when there is stock by now', () => {
    const first = story(shelf([MUG, 1])).when(reserve(line(MUG, 2)));
    const restocked: StockState = { ...shelf([MUG, 10]), reservation: first.state.reservation };
    const again = story(restocked).when(reserve(line(MUG, 2)));
    expect(again.said).toEqual(first.said);
    expect(stockOf(again.state, MUG)?.reserved).toBe(0);
  });

  it('refuses an order that gave its stock up', () => {
    const gaveUp = [release, holdExpired];
    for (const message of gaveUp) {
      const { state, said } = story(shelf([MUG, 5]))
        .when(reserve(line(MUG, 2)))
        .at(new Date(HELD_UNTIL))
        .when(message(), reserve(line(MUG, 2)));
      expect(said.at(-1)).toEqual({ type: 'StockRejected', body: { orderId, missing: [] } });
      expect(stockOf(state, MUG)?.reserved).toBe(0);
    }
  });

  it('answers that the stock has left when the parcel is gone', () => {
    const { saidTypes } = story(shelf([MUG, 5])).when(reserve(line(MUG, 2)), commit(), reserve(line(MUG, 2)));
    expect(saidTypes).toEqual(['StockReserved', 'StockCommitted', 'StockCommitted']);
  });
});

describe('releasing', () => {
  it('gives back what is held', () => {
    const { state, said } = story(shelf([MUG, 5], [TEA, 9, 1])).when(reserve(line(MUG, 2), line(TEA, 8)), release());
    expect(said.at(-1)).toEqual({ type: 'StockReleased', body: { orderId, reason: 'requested' } });
    expect(stockOf(state, MUG)?.reserved).toBe(0);
    expect(stockOf(state, TEA)?.reserved).toBe(1);
  });

  it('gives back once and answers again when the command arrives twice', () => {
    const { state, saidTypes } = story(shelf([MUG, 5, 1])).when(reserve(line(MUG, 2)), release(), release());
    expect(saidTypes).toEqual(['StockReserved', 'StockReleased', 'StockReleased']);
    expect(stockOf(state, MUG)?.reserved).toBe(1);
  });

  it('is accepted for an order it never saw, whose late reservation is then refused', () => {
    const { state, said } = story(shelf([MUG, 5])).when(release(), reserve(line(MUG, 2)));
    expect(said).toEqual([
      { type: 'StockReleased', body: { orderId, reason: 'requested' } },
      { type: 'StockRejected', body: { orderId, missing: [] } },
    ]);
    expect(state.reservation).toEqual({ status: 'released', orderId, lines: [] });
  });

  it('has nothing to give back of a rejected order', () => {
    const { state, saidTypes } = story(shelf([MUG, 1])).when(reserve(line(MUG, 2)), release());
    expect(saidTypes).toEqual(['StockRejected', 'StockReleased']);
    expect(stockOf(state, MUG)).toEqual({ sku: MUG, onHand: 1, reserved: 0 });
  });

  it('is impossible once the parcel has left', () => {
    const gone = story(shelf([MUG, 5])).when(reserve(line(MUG, 2)), commit());
    expect(() => gone.when(release())).toThrow(expect.objectContaining({ reason: 'release-after-commit' }));
  });
});

describe('committing', () => {
  it('takes what is held off the shelf', () => {
    const { state, said } = story(shelf([MUG, 5, 1])).when(reserve(line(MUG, 2)), commit());
    expect(said.at(-1)).toEqual({ type: 'StockCommitted', body: { orderId, lines: [line(MUG, 2)] } });
    expect(stockOf(state, MUG)).toEqual({ sku: MUG, onHand: 3, reserved: 1 });
  });

  it('takes stock once and answers again when the command arrives twice', () => {
    const { state, saidTypes } = story(shelf([MUG, 5])).when(reserve(line(MUG, 2)), commit(), commit());
    expect(saidTypes).toEqual(['StockReserved', 'StockCommitted', 'StockCommitted']);
    expect(stockOf(state, MUG)?.onHand).toBe(3);
  });

  it('counts a hold that ran out and was not yet given back', () => {
    const { saidTypes } = story(shelf([MUG, 5]))
      .when(reserve(line(MUG, 2)))
      .at(new Date('2026-01-02T00:00:00.000Z'))
      .when(commit());
    expect(saidTypes).toEqual(['StockReserved', 'StockCommitted']);
  });

  it('takes the stock again when its hold ran out and there is enough', () => {
    const { state, saidTypes } = story(shelf([MUG, 5]))
      .when(reserve(line(MUG, 2)))
      .at(new Date(HELD_UNTIL))
      .when(holdExpired(), commit());
    expect(saidTypes).toEqual(['StockReserved', 'StockReleased', 'StockCommitted']);
    expect(stockOf(state, MUG)).toEqual({ sku: MUG, onHand: 3, reserved: 0 });
  });

  it('goes to a person when its hold ran out and others hold the stock', () => {
    const { reservation } = story(shelf([MUG, 5]))
      .when(reserve(line(MUG, 2)))
      .at(new Date(HELD_UNTIL))
      .when(holdExpired()).state;
    const oversold = { ...shelf([MUG, 5, 4]), reservation };
    expect(() => story(oversold).when(commit())).toThrow(
      expect.objectContaining({ reason: 'oversold-after-expiry', message: expect.stringContaining(MUG) }),
    );
  });

  it('is impossible without a hold', () => {
    const stories = [
      story(shelf([MUG, 5])),
      story(shelf([MUG, 5])).when(reserve(line(MUG, 2)), release()),
      story(shelf([MUG, 1])).when(reserve(line(MUG, 2))),
    ];
    for (const each of stories) expect(() => each.when(commit())).toThrow(PermanentFailure);
  });
});

describe('a hold that runs out', () => {
  it('gives its stock back and says so', () => {
    const { state, said } = story(shelf([MUG, 5]))
      .when(reserve(line(MUG, 2)))
      .at(new Date(HELD_UNTIL))
      .when(holdExpired());
    expect(said.at(-1)).toEqual({ type: 'StockReleased', body: { orderId, reason: 'expired' } });
    expect(state.reservation?.status).toBe('expired');
    expect(stockOf(state, MUG)?.reserved).toBe(0);
  });

  it('is no news before its time or when the hold has ended otherwise', () => {
    const early = story(shelf([MUG, 5])).when(reserve(line(MUG, 2)), holdExpired());
    expect(early.saidTypes).toEqual(['StockReserved']);
    const ended = early.when(commit()).at(new Date(HELD_UNTIL)).when(holdExpired());
    expect(ended.saidTypes).toEqual(['StockReserved', 'StockCommitted']);
  });
});

it('leaves the state it was given as it was', () => {
  const before = shelf([MUG, 5]);
  story(before).when(reserve(line(MUG, 2)));
  expect(before).toEqual(shelf([MUG, 5]));
});
