import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@millrace/embedded';
import { oneAtATime } from '../load/closed-loop.ts';
import { drive } from '../load/drive.ts';
import { asked } from '../measure/asked.ts';
import { totalsOf } from './millrace-totals.ts';
import { type Millrace, startMillrace } from './millrace.ts';

const START_WITHIN_MS = 180_000;

const folder = temporaryFolder('millrace-totals');
let millrace: Millrace;
beforeAll(async () => {
  millrace = await startMillrace({ dir: `${folder.path}/shop`, say: () => {} });
}, START_WITHIN_MS);
afterAll(async () => {
  await millrace.stop();
  await folder.remove();
}, START_WITHIN_MS);

describe('the books by their sums', () => {
  it('add up when the books order by order do', async () => {
    const stop = new AbortController().signal;
    const confirmedMs = await drive(millrace, 1, (placer, observer) => oneAtATime(placer, observer, 1, stop));
    await millrace.settled();
    const due = { balance: true, findings: [], completed: confirmedMs.length };
    expect(await millrace.books()).toEqual(due);
    expect(await totalsOf(millrace.shop)).toEqual(due);
  });

  it.each([
    [
      'money that was taken twice',
      'payment_provider',
      `UPDATE charge SET amount_minor = amount_minor * 2`,
      'money captured',
    ],
    [
      'an order that is not counted',
      'analytics',
      `UPDATE order_minute SET placed = placed - 1`,
      'analytics saw placed',
    ],
    [
      'a mail that nobody noted',
      'notification',
      `DELETE FROM notification WHERE kind = 'order-confirmed'`,
      'mails noted',
    ],
    [
      'a piece that is gone',
      'inventory',
      `UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'MUG-BLUE'`,
      'pieces sold',
    ],
  ] as const)('do not with %s', async (_, database, sql, finding) => {
    await asked(millrace.shop.databases[database], sql);
    const { balance, findings } = await totalsOf(millrace.shop);
    expect(balance).toBe(false);
    expect(findings).toContainEqual(expect.stringContaining(finding));
  });
});
