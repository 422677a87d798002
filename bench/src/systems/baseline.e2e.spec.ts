import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@millrace/embedded';
import { oneAtATime } from '../load/closed-loop.ts';
import { drive } from '../load/drive.ts';
import { asked } from '../measure/asked.ts';
import { startBaseline } from './baseline.ts';
import type { System } from './system.ts';

const START_WITHIN_MS = 180_000;

const folder = temporaryFolder('millrace-baseline');
let baseline: System;
beforeAll(async () => {
  baseline = await startBaseline({ dir: folder.path, say: () => {} });
}, START_WITHIN_MS);
afterAll(async () => {
  await baseline.stop();
  await folder.remove();
}, START_WITHIN_MS);

/** Does something to one of its databases behind its back. */
function tamper(database: string, sql: string): Promise<unknown> {
  const url = new URL(baseline.postgresUrl);
  url.pathname = `/${database}`;
  return asked(url.href, sql);
}

describe('the baseline', () => {
  it('completes orders, and its books add up', async () => {
    const stop = new AbortController().signal;
    const confirmedMs = await drive(baseline, 1, (placer, observer) => oneAtATime(placer, observer, 1, stop));
    await baseline.settled();
    const books = await baseline.books();
    expect(confirmedMs.length).toBeGreaterThan(0);
    expect(books).toEqual({ balance: true, findings: [], completed: confirmedMs.length });
  });

  it.each([
    [
      'a charge that was made twice',
      'payment_provider',
      `UPDATE charge SET amount_minor = amount_minor * 2`,
      'money captured',
    ],
    ['a parcel that never left', 'shipping', `UPDATE shipment SET status = 'arranged'`, 'parcels delivered'],
    [
      'a piece that is gone',
      'inventory',
      `UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'MUG-BLUE'`,
      'pieces sold',
    ],
    [
      'an event that was counted twice',
      'analytics',
      `UPDATE order_minute SET completed = completed + 1`,
      'analytics saw completed',
    ],
    [
      'a mail that nobody noted',
      'notification',
      `DELETE FROM notification WHERE kind = 'order-confirmed'`,
      'mails noted',
    ],
  ])('has wrong books with %s', async (_, database, sql, finding) => {
    await tamper(database, sql);
    const { balance, findings } = await baseline.books();
    expect(balance).toBe(false);
    expect(findings).toContainEqual(expect.stringContaining(finding));
  });
});
