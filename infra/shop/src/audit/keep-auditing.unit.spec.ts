import { createLogger, Health, Metrics } from '@millrace/observability';
import { describe, expect, it } from '@jest/globals';
import { inOrder } from './audit-report.examples.ts';
import type { Auditor, AuditReport } from './auditor.ts';
import { keepAuditing } from './keep-auditing.ts';

const CHECKED = /^books_checked_timestamp_seconds \d/m;

/** What is shown of the books before each of these looks, and after the last. */
async function shownAround(looks: readonly ('succeeds' | 'fails')[]): Promise<readonly string[]> {
  const metrics = new Metrics();
  const stop = new AbortController();
  const shown: string[] = [];
  const show = async (): Promise<void> => {
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('books_'));
    shown.push(lines.join('\n'));
  };
  const look = async (): Promise<AuditReport> => {
    await show();
    const outcome = looks[shown.length - 1];
    if (shown.length === looks.length) stop.abort();
    if (outcome === 'fails') throw new Error('PostgreSQL is away');
    return inOrder;
  };
  await keepAuditing({
    auditor: { look } as unknown as Auditor,
    everyMs: 1,
    metrics,
    health: new Health(),
    logger: createLogger({ service: 'test', level: 'silent' }),
    stop: stop.signal,
  });
  await show();
  return shown;
}

describe('the metrics of the books', () => {
  it('are missing until the books were looked at, so that nothing tells of a check that never was', async () => {
    const [atStart, afterFailure, afterLook] = await shownAround(['fails', 'succeeds']);
    expect(atStart).toBe('');
    expect(afterFailure).toBe('');
    expect(afterLook).toMatch(CHECKED);
    expect(afterLook).toMatch(/^books_findings\{rule="charged-once"\} 0$/m);
    expect(afterLook).toMatch(/^books_orders\{status="completed"\} 3$/m);
  });

  it('stay as they are while the books cannot be read', async () => {
    const [, afterLook, afterFailure] = await shownAround(['succeeds', 'fails']);
    expect(afterLook).toMatch(CHECKED);
    expect(afterFailure).toBe(afterLook);
  });
});
