import { checkBooks, unrestWithin, type BooksReport } from '../books.ts';
import type { ShopRecords } from '../running-shop.ts';
import type { Screen } from './screen.ts';

const PATIENCE_MS = 30_000;
const WAITING = 'waiting until nothing is under way';

/** Waits until nothing happens any more, checks the books and shows them; resolves to the number of rules that do not hold. */
export async function showBooks(shop: ShopRecords, screen: Screen): Promise<number> {
  const { color } = screen;
  screen.line();
  screen.line(color.bold('The books'));
  const unrest = await showWaiting(screen, unrestWithin(shop, PATIENCE_MS));
  if (unrest !== undefined) screen.line(`     ${color.red('✘')} ${unrest}`);
  return showReport(await checkBooks(shop), screen) + (unrest === undefined ? 0 : 1);
}

/** Shows that it waits until nothing is under way, and resolves as `waiting` does. */
export async function showWaiting<T>(screen: Screen, waiting: Promise<T>): Promise<T> {
  screen.doing(WAITING);
  try {
    return await waiting;
  } finally {
    screen.done(WAITING);
  }
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
