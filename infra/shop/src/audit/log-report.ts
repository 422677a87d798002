import type { Logger } from '@millrace/observability';
import type { AuditReport } from './auditor.ts';
import { STOCK_ADDS_UP } from './stock.ts';

/** Says in the log what each report has that the ones before had not: everything once. */
export function reportLogger(logger: Logger): (report: AuditReport) => void {
  let isStockUncounted = false;
  let hasDropped = false;
  return (report) => {
    for (const { slug, sentence } of report.confirmed) logger.error({ rule: slug }, sentence);
    for (const { slug, sentence } of report.righted) logger.info({ rule: slug }, `not so any more: ${sentence}`);
    if (report.isStockUncounted !== isStockUncounted) {
      isStockUncounted = report.isStockUncounted;
      const rule = STOCK_ADDS_UP.slug;
      if (isStockUncounted) logger.warn({ rule }, 'counting the stock takes too long; it is not judged');
      else logger.info({ rule }, 'the stock is counted again');
    }
    if (report.dropped > 0 && !hasDropped) {
      hasDropped = true;
      logger.warn({ dropped: report.dropped }, 'too many orders wait to be judged; the oldest are not');
    }
  };
}
