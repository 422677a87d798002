import { setTimeout as wait } from 'node:timers/promises';
import { catalogue, deadLetterTopic, type Topic, topics } from '@millrace/contracts';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { minInsyncOf } from './replication.ts';

/** Every declared topic and the dead-letter topics of the given groups. */
export function declaredTopics(groups: readonly string[]): readonly Topic[] {
  const used = new Set(catalogue.map(({ topic }) => topic.name));
  return [...Object.values(topics).filter(({ name }) => used.has(name)), ...groups.map(deadLetterTopic)];
}

/** A topic that has fewer partitions than are declared, and must not be given more just so. */
export interface SmallTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly declared: number;
}

export interface EnsuredTopics {
  readonly created: readonly string[];
  /** Were given the partitions that they missed. */
  readonly enlarged: readonly string[];
  /** Were written to already, so that more partitions would break the order of their keys: `growTopic` gives them some. */
  readonly tooSmall: readonly SmallTopic[];
}

/**
 * Creates the topics that do not exist yet and adds missing partitions where nothing was ever written; never takes any away.
 * Running it again changes nothing. Names it answers are those of the broker, with the prefix.
 */
export async function ensureTopics(
  kafka: Kafka,
  wanted: readonly Topic[],
  options: { readonly replicationFactor: number; readonly topicPrefix?: string },
): Promise<EnsuredTopics> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const prefix = options.topicPrefix ?? '';
    const existing = new Set(await admin.listTopics());
    const missing = wanted.filter(({ name }) => !existing.has(prefix + name));
    if (missing.length > 0) {
      await admin.createTopics({
        waitForLeaders: false,
        topics: missing.map((topic) => ({
          topic: prefix + topic.name,
          numPartitions: topic.partitions,
          replicationFactor: options.replicationFactor,
          configEntries: configOf(topic, options.replicationFactor),
        })),
      });
      await untilLed(admin, missing, prefix);
    }
    const present = wanted.filter(({ name }) => existing.has(prefix + name));
    return { created: missing.map(({ name }) => prefix + name), ...(await enlarge(admin, present, prefix)) };
  } finally {
    await admin.disconnect();
  }
}

// A broker that has not heard of a new topic after this long will not.
const LED_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 50;

/**
 * Waits until the leader of every partition answers: brokers hear of a new topic, and of what they lead, a moment after the
 * controller made it. kafkajs' own waiting gives up on both.
 */
export async function untilLed(
  admin: Admin,
  wanted: readonly Pick<Topic, 'name' | 'partitions'>[],
  prefix: string,
): Promise<void> {
  const counts = new Map(wanted.map(({ name, partitions }) => [prefix + name, partitions]));
  const names = [...counts.keys()];
  for (const deadline = Date.now() + LED_WITHIN_MS; ;) {
    try {
      const { topics: found } = await admin.fetchTopicMetadata({ topics: names });
      if (
        found.every(
          ({ name, partitions }) =>
            partitions.length >= (counts.get(name) ?? 1) && partitions.every(({ leader }) => leader >= 0),
        )
      ) {
        // One after the other: asked for two topics at once, kafkajs may look for the second in metadata of the first.
        for (const name of names) await admin.fetchTopicOffsets(name);
        return;
      }
      if (Date.now() > deadline) throw new Error('a new topic has partitions without a leader');
    } catch (error) {
      const isTooEarly =
        (error instanceof kafkajs.KafkaJSProtocolError && error.retriable) ||
        // kafkajs trips over a partition that one broker tells of and another does not know yet.
        (error instanceof Error && error.name === 'TypeError');
      if (!isTooEarly || Date.now() > deadline) throw error;
    }
    await wait(ASK_EVERY_MS);
  }
}

function configOf({ cleanup, maxRecordBytes }: Topic, replicationFactor: number): { name: string; value: string }[] {
  const config = [{ name: 'min.insync.replicas', value: String(minInsyncOf(replicationFactor)) }];
  config.push({ name: 'cleanup.policy', value: cleanup.policy });
  if (cleanup.policy === 'delete') config.push({ name: 'retention.ms', value: String(cleanup.retentionMs) });
  if (maxRecordBytes !== undefined) config.push({ name: 'max.message.bytes', value: String(maxRecordBytes) });
  return config;
}

async function enlarge(
  admin: Admin,
  present: readonly Topic[],
  prefix: string,
): Promise<Pick<EnsuredTopics, 'enlarged' | 'tooSmall'>> {
  if (present.length === 0) return { enlarged: [], tooSmall: [] };
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: present.map(({ name }) => prefix + name) });
  const counts = new Map(metadata.map(({ name, partitions }) => [name, partitions.length]));
  const unused: Topic[] = [];
  const tooSmall: SmallTopic[] = [];
  for (const topic of present) {
    const name = prefix + topic.name;
    const partitions = counts.get(name) ?? topic.partitions;
    if (partitions >= topic.partitions) continue;
    // What was never written to no producer knows, and no key has a place in it.
    if ((await admin.fetchTopicOffsets(name)).every(({ high }) => high === '0')) unused.push(topic);
    else tooSmall.push({ topic: name, partitions, declared: topic.partitions });
  }
  if (unused.length > 0) {
    await admin.createPartitions({
      topicPartitions: unused.map(({ name, partitions }) => ({ topic: prefix + name, count: partitions })),
    });
    await untilLed(admin, unused, prefix);
  }
  return { enlarged: unused.map(({ name }) => prefix + name), tooSmall };
}

/** Reads the configuration of topics, for checks: topic → name → value. */
export async function topicConfigs(
  kafka: Kafka,
  names: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    });
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
  } finally {
    await admin.disconnect();
  }
}
