import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { replicaPlan } from './replica-plan.ts';

/** Kafka's own topic for the offsets of consumer groups. */
const OFFSETS_TOPIC = '__consumer_offsets';

/** Kafka's own topics, which consumer groups and transactions live in. Brokers make them when they are first needed. */
const INTERNAL_TOPICS = [OFFSETS_TOPIC, '__transaction_state', '__share_group_state'];

const MIN_INSYNC = 'min.insync.replicas';

/** How many replicas must have a record before it counts as written: all but one, so that one broker may be away. */
export function minInsyncOf(replicationFactor: number): number {
  return Math.max(1, replicationFactor - 1);
}

/** How many brokers answer for the cluster at this moment. Rejects when none does. */
export async function liveBrokers(kafka: Kafka): Promise<number> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } finally {
    await admin.disconnect();
  }
}

/**
 * Raises the replication of topics, and of Kafka's own, to `replicationFactor`, as far as there are brokers, and then
 * `min.insync.replicas` with it. Never lowers either. What topics hold stays readable and writable all the while. Resolves
 * with the names of the topics it raised when all their replicas are in sync; a run that was broken off is gone on with.
 * @throws {Error} replicas are not in sync within `timeoutMs`; the text names one.
 */
export async function raiseReplication(
  kafka: Kafka,
  names: readonly string[],
  { replicationFactor, timeoutMs = 120_000 }: { readonly replicationFactor: number; readonly timeoutMs?: number },
): Promise<readonly string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { brokers } = await admin.describeCluster();
    const live = brokers.map(({ nodeId }) => nodeId);
    await makeOffsetsTopic(admin, timeoutMs);
    const all = await partitionsOf(admin, [...names, ...INTERNAL_TOPICS]);
    const target = Math.min(replicationFactor, live.length);
    const moves = Map.groupBy(replicaPlan(all, live, target), ({ topic }) => topic);
    if (moves.size > 0) {
      await admin.alterPartitionReassignments({
        topics: [...moves].map(([topic, partitions]) => ({
          topic,
          partitionAssignment: partitions.map(({ partition, replicas }) => ({ partition, replicas: [...replicas] })),
        })),
        timeout: timeoutMs,
      });
    }
    const topics = [...new Set(all.map(({ topic }) => topic))];
    await untilInSync(admin, topics, target, timeoutMs);
    const raised = await raiseMinInsync(admin, topics, minInsyncOf(target));
    return [...new Set([...moves.keys(), ...raised])];
  } finally {
    await admin.disconnect();
  }
}

/**
 * Brokers make the topic of the offsets when the first group asks for its coordinator. Groups that come after this step would get
 * it with as many replicas as a lone broker was told to give it, and all of them would stand still without that broker.
 */
async function makeOffsetsTopic(admin: Admin, timeoutMs: number): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; await wait(ASK_EVERY_MS)) {
    try {
      await admin.fetchOffsets({ groupId: 'millrace.topic-step' });
      if ((await partitionsOf(admin, [OFFSETS_TOPIC])).length > 0) return;
    } catch (error) {
      // While the topic is being made, brokers do not agree yet on who coordinates the group.
      if (!(error instanceof kafkajs.KafkaJSProtocolError && error.retriable)) throw error;
    }
    if (Date.now() > deadline) throw new Error(`Kafka did not make ${OFFSETS_TOPIC} within ${timeoutMs} ms`);
  }
}

interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** The partitions of those topics that exist. */
async function partitionsOf(admin: Admin, names: readonly string[]): Promise<readonly PartitionState[]> {
  const { topics } = await admin.fetchTopicMetadata();
  return topics
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, partitions }) =>
      partitions.map(({ partitionId, replicas, isr }) => ({
        topic: name,
        partition: partitionId,
        replicas,
        inSync: isr,
      })),
    );
}

const ASK_EVERY_MS = 200;

async function untilInSync(
  admin: Admin,
  topics: readonly string[],
  replicationFactor: number,
  timeoutMs: number,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; ; await wait(ASK_EVERY_MS)) {
    const behind = (await partitionsOf(admin, topics)).find(({ inSync }) => inSync.length < replicationFactor);
    if (behind === undefined) return;
    if (Date.now() > deadline) {
      const { topic, partition, inSync } = behind;
      throw new Error(
        `partition ${partition} of ${topic} has ${inSync.length} of ${replicationFactor} replicas in sync after ${timeoutMs} ms`,
      );
    }
  }
}

/** Raises `min.insync.replicas` where it is lower; resolves with the names of those topics. */
async function raiseMinInsync(admin: Admin, topics: readonly string[], wanted: number): Promise<readonly string[]> {
  if (topics.length === 0) return [];
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type, name })),
  });
  const low = resources.filter(({ configEntries }) =>
    configEntries.some(({ configName, configValue }) => configName === MIN_INSYNC && Number(configValue) < wanted),
  );
  if (low.length > 0) {
    await admin.alterConfigs({
      validateOnly: false,
      resources: low.map(({ resourceName, configEntries }) => ({
        type,
        name: resourceName,
        // This request replaces all that is configured for a topic: what it has of its own must be said again.
        configEntries: [
          ...configEntries
            .filter(({ configName, configSource }) => configName !== MIN_INSYNC && isOfTheTopic(configSource))
            .map(({ configName, configValue }) => ({ name: configName, value: configValue })),
          { name: MIN_INSYNC, value: String(wanted) },
        ],
      })),
    });
  }
  return low.map(({ resourceName }) => resourceName);
}

function isOfTheTopic(source: kafkajs.ConfigSource): boolean {
  return source === kafkajs.ConfigSource.TOPIC_CONFIG;
}
