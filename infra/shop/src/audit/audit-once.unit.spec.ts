import { describe, expect, it } from '@jest/globals';
import { judgeOnce } from './audit-once.ts';
import { inOrder } from './audit-report.examples.ts';
import type { AuditReport, LookOptions } from './auditor.ts';

const lost = { slug: 'stock-adds-up', sentence: 'MUG: 7 on the shelf and 2 left with orders, of 10 that arrived' };

/** What is judged of a shop that each look finds like this, the last one for ever. */
async function judged(...reports: readonly Partial<AuditReport>[]) {
  const looks: LookOptions[] = [];
  const look = async (_: Date | undefined, options: LookOptions = {}): Promise<AuditReport> => {
    const report = reports[Math.min(looks.length, reports.length - 1)];
    looks.push(options);
    return { ...inOrder, ...report };
  };
  const { balance, verdicts } = await judgeOnce({ look }, { lookAgainAfterMs: 0 });
  return { balance, found: verdicts.flatMap(({ findings }) => findings), looks };
}

describe('an audit that is done once', () => {
  it('is done after one look that finds nothing', async () => {
    const { balance, looks } = await judged({});
    expect(balance).toBe(true);
    expect(looks).toHaveLength(1);
  });

  it('says what a second look found again', async () => {
    const { balance, found } = await judged({ suspected: [lost] }, { findings: [lost] });
    expect(balance).toBe(false);
    expect(found).toEqual([lost.sentence]);
  });

  it('forgives what a second look does not find', async () => {
    expect(await judged({ suspected: [lost] }, {})).toMatchObject({ balance: true, found: [] });
  });

  it('counts the stock at each look', async () => {
    const { looks } = await judged({ suspected: [lost] }, {});
    expect(looks).toEqual([{ countStock: true }, { countStock: true }]);
  });

  it('does not pass what is not decided after the last look', async () => {
    const { balance, found, looks } = await judged({ suspected: [lost] });
    expect(balance).toBe(false);
    expect(found).toEqual([`not decided, for it was seen once only: ${lost.sentence}`]);
    expect(looks).toHaveLength(4);
  });

  it('does not pass a stock that could not be counted', async () => {
    const { balance, found } = await judged({ isStockUncounted: true });
    expect(balance).toBe(false);
    expect(found).toEqual(['not decided: counting every shelf took too long']);
  });

  it('goes on until every order was looked at', async () => {
    const behind = { isBehind: true };
    const { balance, found, looks } = await judged(behind, behind, behind, behind, behind, { findings: [lost] });
    expect(balance).toBe(false);
    expect(found).toEqual([lost.sentence]);
    expect(looks).toHaveLength(6);
  });
});
