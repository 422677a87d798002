import { describe, expect, it } from '@jest/globals';
import type { Budget } from './budgets.ts';
import { batchesIn } from './batches.ts';
import { workOf } from './statements.ts';
import { verdictOf } from './verdict.ts';

const called = (calls: number, text: string) => ({ calls, text });

describe('the work of a database', () => {
  const work = workOf([
    called(12, 'BEGIN'),
    called(12, 'COMMIT'),
    called(2, 'SAVEPOINT due'),
    called(90, 'SELECT seq FROM messaging.outbox WHERE shard = ANY($1)'),
    called(40, 'SELECT count(*)::int AS count FROM messaging.outbox'),
    called(4, 'SELECT message_id FROM messaging.inbox WHERE consumer_group = $1 AND message_id = ANY($2::uuid[])'),
    called(4, 'SELECT key FROM messaging.parked_key WHERE consumer_group = $1 AND key = ANY($2::text[])'),
    called(4, 'SELECT order_id FROM payment WHERE order_id = ANY($1)'),
    called(10, 'INSERT INTO messaging.inbox (consumer_group, message_id) SELECT $1, id FROM unnest($2::uuid[]) AS id'),
    called(8, 'INSERT INTO messaging.outbox (shard, topic) SELECT * FROM unnest($1::smallint[], $2::text[])'),
    called(7, 'DELETE FROM messaging.outbox WHERE seq = ANY($1::bigint[])'),
    called(10, 'UPDATE something_new SET x = $1'),
  ]);

  it('is all but what is sent by the clock, and statements that nobody knows count', () => {
    expect(work.statements).toBe(4 + 4 + 4 + 10 + 8 + 7 + 10);
    expect(work.texts[0]?.calls).toBe(10);
  });

  it('is not hidden by looking up before each call what is looked up once for many', () => {
    const lookUp = 'SELECT message_id FROM messaging.inbox WHERE consumer_group = $1 AND message_id = ANY($2::uuid[])';
    expect(workOf([...work.texts, called(400, lookUp)]).settling).toBe(work.settling + 400);
  });

  it('tells the relay and what is read before calls from what settles batches', () => {
    expect(work).toMatchObject({ relayRounds: 7, said: 8, localBatches: 2, settling: 10 + 8 + 10 });
  });
});

it('finds the batches of all groups of a service on its metrics page', () => {
  const page = `# TYPE messaging_batch_records histogram
messaging_batch_records_bucket{le="1",group="order.checkout"} 3
messaging_batch_records_sum{group="order.checkout"} 700
messaging_batch_records_count{group="order.checkout"} 14
messaging_batch_records_sum{group="order.timeline"} 200
messaging_batch_records_count{group="order.timeline"} 6
process_start_time_seconds 1700000000
`;
  expect(batchesIn(page)).toEqual({ batches: 20, messages: 900, since: 1_700_000_000 });
});

describe('the verdict', () => {
  const budget = (bound: Budget['bound'], limits: Budget['limits']): Budget => {
    return { figure: 'rows', bound, limits, meaning: 'More is kept.', lookAt: 'the store' };
  };

  it.each([
    ['most', 3, 4],
    ['least', 3, 2],
    ['exactly', 3, 2],
    ['exactly', 3, 4],
    ['most', 3, Number.NaN],
  ] as const)('holds at %s %d and not with %d', (bound, limit, wrong) => {
    const budgets = { rows: budget(bound, { order: limit }) };
    expect(verdictOf(budgets, { rows: { order: limit } }).failures).toEqual([]);
    expect(verdictOf(budgets, { rows: { order: wrong } }).failures).toHaveLength(1);
  });

  it('names the figure, the budget, what it means and where to look', () => {
    const { failures, table } = verdictOf(
      { rows: budget('most', { order: 3, payment: 3 }) },
      { rows: { order: 4, payment: 1 } },
    );
    expect(failures).toEqual(['rows, order: 4, and the budget is at most 3.\n  More is kept.\n  Look at the store.']);
    expect(table).toBe('rows  order    4  at most 3  ✘\nrows  payment  1  at most 3');
  });

  it('is that something is wrong when nothing was counted for a limit, and when there is no limit for what was counted', () => {
    expect(verdictOf({ rows: budget('most', { order: 3 }) }, { rows: {} }).failures).toEqual([
      'rows, order: nothing was counted.',
    ]);
    expect(verdictOf({ rows: budget('most', {}) }, { rows: { order: 1 } }).failures).toEqual([
      'rows, order: 1, and there is no budget for it.',
    ]);
  });
});
