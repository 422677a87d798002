import { setTimeout as sleep } from 'node:timers/promises';
import type { BooksReport, Verdict } from '../books.ts';
import type { ShopRecords } from '../running-shop.ts';
import { Auditor, type AuditorOptions, type AuditReport, livingRules } from './auditor.ts';

export interface AuditOnceOptions extends AuditorOptions {
  /** How long after a first look that found something the second one comes. */
  readonly lookAgainAfterMs: number;
  readonly stop?: AbortSignal;
}

// In a busy shop each look may meet something that is just under way.
const MAX_LOOKS = 4;

const MAX_FINDINGS = 10;

/** Judges the books of an open shop once; what it finds wrong it looks at again before it says so. */
export async function auditOnce(shop: ShopRecords, options: AuditOnceOptions): Promise<BooksReport> {
  const auditor = new Auditor(shop, options);
  let report = await auditor.look();
  for (let looks = 1; report.suspected > 0 && looks < MAX_LOOKS; looks++) {
    await sleep(options.lookAgainAfterMs, undefined, options.stop === undefined ? {} : { signal: options.stop });
    report = await auditor.look();
  }
  const verdicts = verdictsOf(report);
  return { balance: verdicts.every(({ holds }) => holds), verdicts, orders: report.orders };
}

/** How each rule of a living shop stands. */
function verdictsOf({ findings }: AuditReport): readonly Verdict[] {
  return livingRules.map(({ slug, name }) => {
    const sentences = findings.filter((finding) => finding.slug === slug).map(({ sentence }) => sentence);
    return {
      rule: name,
      holds: sentences.length === 0,
      findings: sentences.slice(0, MAX_FINDINGS),
      total: sentences.length,
    };
  });
}
