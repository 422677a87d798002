import { setTimeout as sleep } from 'node:timers/promises';
import type { Health, Logger, Metrics } from '@millrace/observability';
import { type Auditor, type AuditReport, livingRules } from './auditor.ts';
import { reportLogger } from './log-report.ts';

export interface KeepAuditingOptions {
  readonly auditor: Auditor;
  readonly everyMs: number;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
  readonly stop: AbortSignal;
}

// The leader of a partition may just be changing.
const AGAIN_AFTER_MS = 5_000;

/**
 * Looks at the books again and again until it is stopped, and says what it finds: each finding once in the log, how many
 * there are in the metrics, from the first look on. When the books cannot be read the metrics stay as they are, and how old
 * they are shows.
 */
export async function keepAuditing(options: KeepAuditingOptions): Promise<void> {
  const { auditor, everyMs, metrics, health, logger, stop } = options;
  const tell = teller(metrics);
  const log = reportLogger(logger);
  let hasLooked = false;
  let isAway = false;
  health.addReadinessCheck('books', () => (hasLooked ? undefined : 'the books were not looked at yet'));
  while (!stop.aborted) {
    const startedAt = Date.now();
    try {
      const report = await auditor.look(new Date(startedAt));
      tell(report, startedAt);
      log(report);
      if (isAway) logger.info('the books can be read again');
      hasLooked = true;
      isAway = false;
    } catch (error) {
      if (!isAway) logger.warn({ err: error }, 'the books cannot be read; trying again');
      isAway = true;
    }
    const nextAt = startedAt + (isAway ? Math.min(everyMs, AGAIN_AFTER_MS) : everyMs);
    await sleep(Math.max(0, nextAt - Date.now()), undefined, { signal: stop }).catch(() => {}); // the loop looks at the signal
  }
}

function teller(metrics: Metrics): (report: AuditReport, at: number) => void {
  const findings = metrics.gauge({
    name: 'books_findings',
    help: 'What two looks in a row found wrong in the books and is so still, by rule',
    labels: ['rule'],
  });
  const checkedAt = metrics.gauge({
    name: 'books_checked_timestamp_seconds',
    help: 'When the books were looked at last, in seconds since 1970',
  });
  checkedAt.remove(); // A gauge without labels is born as 0: the books would have been looked at in 1970.
  const orders = metrics.gauge({
    name: 'books_orders',
    help: 'Orders judged since the auditor started, by how they ended; open: not yet judged',
    labels: ['status'],
  });
  return (report, at) => {
    for (const { slug } of livingRules) {
      findings.labels(slug).set(report.findings.filter((finding) => finding.slug === slug).length);
    }
    for (const [status, count] of Object.entries(report.orders)) orders.labels(status).set(count);
    checkedAt.set(at / 1000);
  };
}
