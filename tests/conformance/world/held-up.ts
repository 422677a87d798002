import type { HandlerName } from '../service/contracts.ts';
import type { Replica } from './replicas.ts';
import type { World } from './world.ts';

/** A replica that works on a line and does not come to its end. */
export interface HeldUp {
  readonly replica: Replica;
  /** The account of that line: the replica goes on when its trouble is over. */
  readonly held: string;
  /** Those that were sent as many lines. */
  readonly others: readonly string[];
}

/** Starts a replica, sends lines of so many accounts, and waits until it is held up by one of them. */
export async function heldUp(
  world: World,
  handler: HandlerName,
  { accounts, lines }: { readonly accounts: number; readonly lines: number },
): Promise<HeldUp> {
  const [held = '', ...others] = world.accounts(accounts);
  const replica = await world.join([handler]);
  await world.books.trouble(held, 'wait');
  await world.send([held, ...others], lines);
  await world.untilUnderWay(held);
  return { replica, held, others };
}
