import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as DeadLetters from '@millrace/messaging/dead-letters';
import type * as Kafka from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import type { Build } from '../build.ts';
import { Enter, groups, type HandlerName, ledgerEvents } from '../service/contracts.ts';
import type { World } from './world.ts';

const WHO = { by: 'the suite', reason: 'the account is mended' };

/** A part of a build's libs/messaging, in this process: the tools of people have the build's bug too. */
async function partOf<Part>({ folder }: Build, part: string): Promise<Part> {
  return (await import(pathToFileURL(join(folder, 'messaging/dist', part, 'index.js')).href)) as Part;
}

/** Gives the events' topic more partitions; `onStep` hears how far that is. Rejects when it cannot have them. */
export async function growEvents(
  { grounds, books, topics }: World,
  partitions: number,
  onStep?: (step: Kafka.GrowProgress['step']) => void,
): Promise<void> {
  const { growTopic } = await partOf<typeof Kafka>(grounds.build, 'kafka');
  await growTopic({
    brokers: grounds.brokers,
    logger: createLogger({ service: 'conformance', level: 'silent' }),
    topic: ledgerEvents.name,
    partitions,
    databases: [{ name: 'ledger', database: books.database }],
    groups: [{ name: groups.project, topics: [ledgerEvents.name] }],
    topicPrefix: topics.prefix,
    grownBy: WHO.by,
    drainWithinMs: grounds.patienceMs,
    onProgress: ({ step }) => onStep?.(step),
  });
}

/** Sends every dead letter of a group back to it, and answers what came of each. */
export async function sendBack(
  { grounds, books, topics }: World,
  handler: HandlerName,
  edit: DeadLetters.Edit = {},
): Promise<readonly DeadLetters.Redriven['kind'][]> {
  const { inOrder, readLetters, Redrive } = await partOf<typeof DeadLetters>(grounds.build, 'dead-letters');
  const { kafka, prefix: topicPrefix } = topics;
  const all = await readLetters(kafka, [groups[handler]], { topicPrefix });
  const redrive = await Redrive.open({
    kafka,
    database: books.database,
    contracts: [Enter],
    chosen: all,
    all,
    topicPrefix,
  });
  try {
    const kinds: DeadLetters.Redriven['kind'][] = [];
    for (const letter of inOrder(all)) kinds.push((await redrive.send(letter, WHO, edit)).kind);
    return kinds;
  } finally {
    await redrive.close();
  }
}

/** Lets an account go that is held. */
export async function release({ grounds, books }: World, handler: HandlerName, account: string): Promise<void> {
  const { retryParked } = await partOf<typeof DeadLetters>(grounds.build, 'dead-letters');
  await retryParked(books.database, groups[handler], account, WHO);
}
