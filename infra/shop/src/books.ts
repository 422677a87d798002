import { setTimeout as sleep } from 'node:timers/promises';
import { countOpenOrders, readAccounts, readOutboxes, readParked } from './books/accounts.ts';
import { unreadMessages } from './books/unread-messages.ts';
import { rules } from './books/rules.ts';

export { NO_MAIL_REPEATED } from './books/rules.ts';
import type { ShopRecords } from './running-shop.ts';

/** How one rule of the books stands. */
export interface Verdict {
  readonly rule: string;
  readonly holds: boolean;
  /** What is not as it must be, at most ten sentences. */
  readonly findings: readonly string[];
  /** How many findings there are in all. */
  readonly total: number;
}

export interface BooksReport {
  /** Every rule holds. */
  readonly balance: boolean;
  readonly verdicts: readonly Verdict[];
  readonly orders: { readonly completed: number; readonly cancelled: number; readonly open: number };
}

const MAX_FINDINGS = 10;
const POLL_MS = 50;

/**
 * Compares the books of all services with each other and with those of the outside world: orders, the payment
 * provider's ledger, stock, parcels, mails, figures. It is the auditor and looks into every database. Its answer is
 * only right while nothing happens in the shop: wait with `waitForEnd` first.
 */
export async function checkBooks(shop: ShopRecords): Promise<BooksReport> {
  const accounts = await readAccounts(shop);
  const verdicts = rules.map((rule) => verdictOf(rule.name, rule.findings(accounts)));
  const count = (status: string) => accounts.orders.filter((order) => order.status === status).length;
  const completed = count('completed');
  const cancelled = count('cancelled');
  return {
    balance: verdicts.every(({ holds }) => holds),
    verdicts,
    orders: { completed, cancelled, open: accounts.orders.length - completed - cancelled },
  };
}

/** How a rule stands, given a sentence for each thing that is not as it must be. */
export function verdictOf(rule: string, sentences: readonly string[]): Verdict {
  return {
    rule,
    holds: sentences.length === 0,
    findings: sentences.slice(0, MAX_FINDINGS),
    total: sentences.length,
  };
}

/**
 * Resolves when every order has ended and every service has heard all that was said. Rejects after `timeoutMs` (60 s
 * unless told) with what it waited for. A parcel that is still to be delivered is not waited for.
 */
export async function waitForEnd(
  shop: ShopRecords,
  { timeoutMs = 60_000 }: { readonly timeoutMs?: number } = {},
): Promise<void> {
  const unread = await unreadMessages(shop);
  try {
    for (const end = Date.now() + timeoutMs; ; await sleep(POLL_MS)) {
      const before = await pendingWork(shop);
      const heard = before === undefined ? await unread.find() : undefined;
      // Handling a message may have put another one into an outbox, and the relay may have sent it meanwhile: it is
      // quiet when a second look finds no outbox filled and no topic longer.
      const after = heard?.unread === undefined ? await pendingWork(shop) : undefined;
      const waitsFor = before ?? heard?.unread ?? after;
      if (waitsFor === undefined && heard?.ends === (await unread.find()).ends) return;
      if (Date.now() > end)
        throw new Error(`The shop is not quiet after ${timeoutMs} ms: ${waitsFor ?? 'messages keep coming'}.`);
    }
  } finally {
    await unread.close();
  }
}

/** Waits like `waitForEnd`; never rejects, but resolves to why it would, or to undefined as soon as all is quiet. */
export async function unrestWithin(shop: ShopRecords, timeoutMs: number): Promise<string | undefined> {
  try {
    await waitForEnd(shop, { timeoutMs });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function pendingWork(shop: ShopRecords): Promise<string | undefined> {
  const open = await countOpenOrders(shop);
  if (open > 0) return `${open} orders have not ended`;
  const unsent = Object.entries(await readOutboxes(shop)).find(([, count]) => count > 0);
  if (unsent) return `${unsent[1]} messages wait in the outbox of ${unsent[0]}`;
  const parked = Object.entries(await readParked(shop)).find(([, count]) => count > 0);
  return parked && `${parked[1]} messages of ${parked[0]} wait to be tried again, or for a person`;
}
