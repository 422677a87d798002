import { describe, expect, it } from '@jest/globals';
import {
  anotherParcel,
  type Copying,
  copyStatement,
  earlier,
  earlierText,
  inbox,
  same,
  strangersTo,
} from './copying.ts';
import { copiesFor, spanMsOf } from './placed.ts';

const copying: Copying = {
  copied: {
    parcel: {
      placedBy: 'order_id',
      columns: { order_id: earlier, number: anotherParcel, said_by: earlierText, kind: same },
    },
    'messaging.inbox': inbox,
  },
  broughtAlong: { shelf: 'UPDATE shelf SET pieces = pieces - 1' },
  remembered: [],
  doNotGrow: ['product'],
  growAtTheirEnd: [],
};
const tables = new Map([
  ['parcel', ['order_id', 'number', 'said_by', 'kind']],
  ['messaging.inbox', ['consumer_group', 'message_id']],
  ['shelf', ['sku', 'pieces']],
  ['product', ['sku']],
]);

describe('a copy', () => {
  it('of a row has ids and times of its own, and all else as it was', () => {
    expect(copyStatement('parcel', copying.copied['parcel'] ?? inbox)).toBe(
      'INSERT INTO parcel (order_id, number, said_by, kind) SELECT pg_temp.earlier(order_id, $1::bigint), ' +
        "'MP' || upper(left(md5(number || $1::bigint::text), 16)), pg_temp.earlier(said_by::uuid, $1::bigint)::text, kind " +
        'FROM pg_temp.placed_parcel',
    );
    expect(copyStatement('messaging.inbox', inbox)).toContain('FROM pg_temp.placed_inbox');
  });

  it.each([
    [100, 40, 30, 2],
    [101, 40, 30, 3],
    [40, 40, 30, 0],
    [10, 40, 30, 0],
  ])(
    'is made as often as it takes to have %s orders where there are %s, %s at a time',
    (wanted, there, each, times) => {
      expect(copiesFor(wanted, there, each)).toBe(times);
    },
  );

  it('is as many whole minutes older as the orders took at least', () => {
    expect(spanMsOf({ fromMs: 1_000, untilMs: 1_001 })).toBe(60_000);
    expect(spanMsOf({ fromMs: 1_000, untilMs: 61_000 })).toBe(60_000);
    expect(spanMsOf({ fromMs: 1_000, untilMs: 61_001 })).toBe(120_000);
  });
});

describe('a database', () => {
  it('can be copied when somebody thought of all of it', () => {
    expect(strangersTo('shipping', copying, tables)).toEqual([]);
  });

  it.each([
    [
      'a table more',
      [...tables, ['gift_card', ['order_id']]],
      'nobody said what becomes of the table gift_card of shipping when orders are copied',
    ],
    ['a table less', [...tables].filter(([table]) => table !== 'product'), 'there is no table product in shipping'],
    [
      'a column more',
      [...tables, ['shelf', ['sku', 'pieces', 'at']], ['messaging.inbox', ['consumer_group', 'message_id', 'at']]],
      'nobody said what the column at of messaging.inbox in shipping holds in a copy',
    ],
    [
      'a column less',
      [...tables, ['messaging.inbox', ['message_id']]],
      'there is no column consumer_group in messaging.inbox of shipping',
    ],
  ] as const)('cannot be copied when there is %s', (_, changed, finding) => {
    const found = new Map(changed as [string, string[]][]);
    expect(strangersTo('shipping', copying, found)).toEqual([finding]);
  });
});
