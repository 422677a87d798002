import { describe, expect, it, jest } from '@jest/globals';
import type { Logger } from '@millrace/observability';
import { inOrder } from './audit-report.examples.ts';
import type { AuditReport } from './auditor.ts';
import { reportLogger } from './log-report.ts';

function linesOf(reports: readonly Partial<AuditReport>[]): string[] {
  const lines: string[] = [];
  const at = (level: string) => jest.fn((_: unknown, text: string) => void lines.push(`${level}: ${text}`));
  const log = reportLogger({ error: at('error'), warn: at('warn'), info: at('info') } as unknown as Logger);
  for (const report of reports) log({ ...inOrder, ...report });
  return lines;
}

describe('the log of an auditor', () => {
  it('is silent while all is well', () => {
    expect(linesOf([{}, {}])).toEqual([]);
  });

  it('says what is wrong, and that it is not so any more', () => {
    const unpaid = { slug: 'charged-once', sentence: 'order 1 has paid 0, and owes 5' };
    expect(
      linesOf([{ confirmed: [unpaid], findings: [unpaid] }, { findings: [unpaid] }, { righted: [unpaid] }]),
    ).toEqual(['error: order 1 has paid 0, and owes 5', 'info: not so any more: order 1 has paid 0, and owes 5']);
  });

  it('says once that the stock cannot be counted, and that it can again', () => {
    const uncounted = { isStockUncounted: true };
    expect(linesOf([uncounted, uncounted, {}, {}])).toEqual([
      'warn: counting the stock takes too long; it is not judged',
      'info: the stock is counted again',
    ]);
  });

  it('says once that orders are not judged', () => {
    expect(linesOf([{}, { dropped: 5 }, { dropped: 9 }])).toEqual([
      'warn: too many orders wait to be judged; the oldest are not',
    ]);
  });
});
