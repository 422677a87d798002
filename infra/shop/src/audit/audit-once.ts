import { setTimeout as sleep } from 'node:timers/promises';
import { type BooksReport, type Verdict, verdictOf } from '../books.ts';
import type { ShopRecords } from '../running-shop.ts';
import { Auditor, type AuditorOptions, type AuditReport, livingRules } from './auditor.ts';
import { STOCK_ADDS_UP } from './stock.ts';

export interface LookAgainOptions {
  /** How long after a look that did not decide everything the next one comes. */
  readonly lookAgainAfterMs: number;
  readonly stop?: AbortSignal;
}

export interface AuditOnceOptions extends AuditorOptions, LookAgainOptions {}

// In a busy shop each look may meet something that is just under way.
const MAX_LOOKS = 4;

/**
 * Judges the books of an open shop once; what it finds wrong it looks at again before it says so. A rule holds only when that
 * is decided: with something found at the last look for the first time it does not.
 */
export function auditOnce(shop: ShopRecords, options: AuditOnceOptions): Promise<BooksReport> {
  return judgeOnce(new Auditor(shop, options), options);
}

/** `auditOnce` with an auditor that has not looked so far. */
export async function judgeOnce(
  auditor: Pick<Auditor, 'look'>,
  { lookAgainAfterMs, stop }: LookAgainOptions,
): Promise<BooksReport> {
  const look = () => auditor.look(new Date(), { countStock: true });
  let report = await look();
  // Looks that only take up the orders that the one before had to leave do not count.
  for (let looks = 1; report.isBehind || (isOpen(report) && looks < MAX_LOOKS); looks += report.isBehind ? 0 : 1) {
    await sleep(lookAgainAfterMs, undefined, stop === undefined ? {} : { signal: stop });
    report = await look();
  }
  const verdicts = verdictsOf(report);
  return { balance: verdicts.every(({ holds }) => holds), verdicts, orders: report.orders };
}

function isOpen({ suspected, isStockUncounted }: AuditReport): boolean {
  return suspected.length > 0 || isStockUncounted;
}

/** How each rule of a living shop stands. */
function verdictsOf({ findings, suspected, isStockUncounted }: AuditReport): readonly Verdict[] {
  return livingRules.map(({ slug, name }) => {
    const of = (found: AuditReport['findings']) =>
      found.filter((finding) => finding.slug === slug).map(({ sentence }) => sentence);
    const sentences = [
      ...of(findings),
      ...of(suspected).map((sentence) => `not decided, for it was seen once only: ${sentence}`),
      ...(slug === STOCK_ADDS_UP.slug && isStockUncounted ? ['not decided: counting every shelf took too long'] : []),
    ];
    return verdictOf(name, sentences);
  });
}
