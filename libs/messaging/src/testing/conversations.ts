import type { Queryable } from '@millrace/database';
import { headerNames } from '@millrace/contracts';
import { subscribedTopics } from '../kafka/subscriptions.ts';
import type { TestTopics } from './test-topics.ts';
import { until } from './until.ts';

/** A recorded message that belongs to a story, such as the golden messages of a release. */
export interface StoryMessage {
  readonly story: string;
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Sends stories side by side and the messages of each one after the other: the next when the one before is settled by every group
 * of the service that hears its topic. `database` is the service's, whose inbox tells.
 */
export async function replay(
  topics: TestTopics,
  database: Queryable,
  messages: readonly StoryMessage[],
): Promise<void> {
  const stories = [...Map.groupBy(messages, ({ story }) => story).values()];
  const longest = Math.max(0, ...stories.map((story) => story.length));
  for (let step = 0; step < longest; step++) {
    const next = stories.flatMap((story) => story[step] ?? []);
    await topics.send(next.map(({ topic, key, value, headers }) => ({ topic, key, value, headers: { ...headers } })));
    const ids = [...new Set(next.map(({ headers }) => headers[headerNames.id]))];
    await until(`step ${step + 1} of ${longest} is settled`, async () => {
      const { rows } = await database.query<{ settled: number }>(
        'SELECT count(DISTINCT message_id)::int AS settled FROM messaging.inbox WHERE message_id = ANY($1::uuid[])',
        [ids],
      );
      return rows[0]?.settled === ids.length;
    });
  }
}

/** The wire types that a service has said so far to any of these topics, sorted. */
export async function saidBy(
  topics: TestTopics,
  service: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const read = await Promise.all(names.map((name) => topics.read(name)));
  const said = read
    .flat()
    .filter(({ headers }) => headers[headerNames.source] === `/millrace/${service}`)
    .map(({ headers }) => String(headers[headerNames.type]));
  return [...new Set(said)].toSorted();
}

/** The topics that the members of a group subscribed to, by their declared names, as soon as it has members. */
export async function topicsOf(topics: TestTopics, group: string): Promise<readonly string[]> {
  const found = await until(`${group} has members`, async () => {
    const names = await subscribedTopics(topics.kafka, topics.prefix + group);
    return names.length > 0 && names;
  });
  return found.map((name) => name.slice(topics.prefix.length));
}
