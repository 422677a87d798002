import { checkBooks, waitForEnd, type BooksReport } from '../books.ts';
import type { ShopRecords } from '../running-shop.ts';
import type { Screen } from './screen.ts';

const PATIENCE_MS = 30_000;

/** Waits until nothing happens any more, checks the books and shows them; resolves to the number of rules that do not hold. */
export async function showBooks(shop: ShopRecords, screen: Screen): Promise<number> {
  const { color } = screen;
  screen.line();
  screen.line(color.bold('The books'));
  screen.doing('waiting until nothing is under way');
  const unrest = await waitForEnd(shop, { timeoutMs: PATIENCE_MS }).then(
    () => undefined,
    (error: unknown) => String(error instanceof Error ? error.message : error),
  );
  screen.done('waiting until nothing is under way');
  if (unrest !== undefined) screen.line(`     ${color.red('✘')} ${unrest}`);
  return showReport(await checkBooks(shop), screen) + (unrest === undefined ? 0 : 1);
}

/** Shows how each rule stands; returns the number of those that do not hold. What is forgiven is shown and not counted. */
export function showReport(
  { verdicts, orders }: BooksReport,
  screen: Screen,
  forgiven: ReadonlyMap<string, string> = new Map(),
): number {
  const { color } = screen;
  let broken = 0;
  for (const { rule, holds, findings, total } of verdicts) {
    const excuse = forgiven.get(rule);
    if (holds) screen.line(`     ${color.green('✔')} ${rule}`);
    else if (excuse === undefined) screen.line(`     ${color.red('✘')} ${color.bold(rule)}`);
    else screen.line(`     ${color.yellow('!')} ${rule} – not so, but ${excuse}`);
    if (!holds && excuse === undefined) broken += 1;
    for (const finding of findings) screen.line(`         ${finding}`);
    if (total > findings.length) screen.line(`         and ${total - findings.length} more`);
  }
  const { completed, cancelled, open } = orders;
  screen.line(
    `     ${completed + cancelled + open} orders: ${completed} completed, ${cancelled} cancelled, ${open} open`,
  );
  return broken;
}
