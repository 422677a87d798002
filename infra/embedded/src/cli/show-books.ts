import { checkBooks, waitForEnd } from '../books.ts';
import type { Shop } from '../shop.ts';
import type { Screen } from './screen.ts';

/** Waits until nothing happens any more, checks the books and shows them; resolves to the number of rules that do not hold. */
export async function showBooks(shop: Shop, screen: Screen): Promise<number> {
  const { color } = screen;
  screen.line();
  screen.line(color.bold('The books'));
  screen.doing('waiting until nothing is under way');
  const unrest = await waitForEnd(shop, { timeoutMs: 30_000 }).then(
    () => undefined,
    (error: unknown) => String(error instanceof Error ? error.message : error),
  );
  screen.done('waiting until nothing is under way');
  if (unrest !== undefined) screen.line(`     ${color.red('✘')} ${unrest}`);
  const { verdicts, orders } = await checkBooks(shop);
  for (const { rule, holds, findings, total } of verdicts) {
    screen.line(`     ${holds ? color.green('✔') : color.red('✘')} ${holds ? rule : color.bold(rule)}`);
    for (const finding of findings) screen.line(`         ${finding}`);
    if (total > findings.length) screen.line(`         and ${total - findings.length} more`);
  }
  const { completed, cancelled, open } = orders;
  screen.line(
    `     ${completed + cancelled + open} orders: ${completed} completed, ${cancelled} cancelled, ${open} open`,
  );
  return verdicts.filter(({ holds }) => !holds).length + (unrest === undefined ? 0 : 1);
}
