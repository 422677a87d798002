import { difference } from '../comparison.ts';
import { groups, type HandlerName } from '../service/contracts.ts';
import { heardBy } from './groups.ts';
import type { World } from './world.ts';

const NONE: ReadonlySet<string> = new Set();

/** Every message that was sent, except `exempt`, was applied once and in the order of its account. */
export async function expectApplied(world: World, handler: HandlerName, exempt = NONE): Promise<void> {
  const wrong = difference(world.sent, await world.books.applied(handler), exempt);
  if (wrong !== undefined) throw new Error(`applied by ${groups[handler]}: ${wrong}`);
}

/** The event about every message that was sent was applied to the read model, once and in the order of its account. */
export async function expectProjected(world: World): Promise<void> {
  const causes = new Map((await world.events()).map(({ headers }) => [headers['ce_id'], headers['causation-id']]));
  const applied = (await world.books.applied('project')).map(({ account, id }) => ({
    account,
    id: causes.get(id) ?? id,
  }));
  const wrong = difference(world.sent, applied);
  if (wrong !== undefined) throw new Error(`applied by ${groups.project}: ${wrong}`);
}

/**
 * Every message that was sent led to one event, in the order of its account. Repetitions of an event under the same id are passed over
 * unless they are `refused`.
 */
export async function expectSaid(
  world: World,
  { repetitions = 'allowed' }: { readonly repetitions?: 'allowed' | 'refused' } = {},
): Promise<void> {
  const events = await world.events();
  const seen = new Set<string>();
  const fresh = events.filter(({ headers }) => {
    const id = headers['ce_id'] ?? '';
    const isFresh = !seen.has(id);
    seen.add(id);
    return isFresh;
  });
  const said = (repetitions === 'refused' ? events : fresh).map(({ key, headers }) => ({
    account: key ?? '',
    id: headers['causation-id'] ?? '',
  }));
  const wrong = difference(world.sent, said);
  if (wrong !== undefined) throw new Error(`said about what was sent: ${wrong}`);
}

/** The offsets that a group has committed are behind those of these messages, and not behind others of their partitions. */
export async function expectCommitted(world: World, handler: HandlerName, ids: ReadonlySet<string>): Promise<void> {
  const [records, committed] = await Promise.all([
    world.topics.read(heardBy(handler)),
    world.groups.committed(handler),
  ]);
  const wrong = records.filter(({ partition, offset, headers }) => {
    const isCommitted = (committed.get(partition) ?? -1n) > BigInt(offset);
    return isCommitted !== ids.has(headers['ce_id'] ?? '');
  });
  if (wrong.length > 0) {
    throw new Error(`the offsets of ${wrong.length} messages are not committed as they are applied`);
  }
}
