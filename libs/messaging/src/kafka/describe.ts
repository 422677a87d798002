import kafkajs, { type Admin, type GroupDescription } from 'kafkajs';
import { createKafka, type Kafka } from './client.ts';
import { type GroupLag, isWithoutLeader, LagMeter, type LagMeterOptions } from './lag-meter.ts';

// Whoever looks can look again: better a quick "not reachable" than a minute of silence.
const RETRIES = 3;

/** One process in a consumer group. */
export interface GroupMember {
  /** Unique in its group, new with each start. */
  readonly memberId: string;
  /** What the process calls itself: the service. */
  readonly clientId: string;
  readonly host: string;
}

/** How far a group has come in one partition, and who reads it. */
export interface PartitionReader extends Pick<GroupLag, 'partition' | 'committed' | 'messages' | 'seconds'> {
  /** Undefined while nobody owns it: the group has no member, or is handing its partitions out anew. */
  readonly owner: GroupMember | undefined;
}

/** A consumer group that hears a topic. */
export interface TopicReader {
  readonly group: string;
  /** As the broker calls it: `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty` (no member), `Dead` (never seen). */
  readonly state: string;
  readonly members: readonly GroupMember[];
  readonly partitions: readonly PartitionReader[];
}

export interface PartitionDescription {
  readonly partition: number;
  /** The node id of the broker that leads it; -1 for none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
  /** Offset of the first record that is still there, and of the next one to be written. */
  readonly first: number;
  readonly end: number;
}

export interface TopicDescription {
  readonly topic: string;
  /** Why nothing more is known of it; undefined when it is well. */
  readonly problem: 'missing' | 'leaderless' | undefined;
  readonly partitions: readonly PartitionDescription[];
  readonly readers: readonly TopicReader[];
}

export interface TopicViewOptions extends LagMeterOptions {
  /** Topics to tell of, in this order; those that the groups hear and that are missing here come after them. */
  readonly topics?: readonly string[];
}

/**
 * Looks at topics and at who reads them, for people: from the broker's own books, so also while services are dead. Look as often
 * as you like with the same view: the first look dates old lags by asking the broker, later ones remember. Whoever made it closes it.
 */
export class TopicView {
  readonly #kafka: Kafka;
  readonly #groups: LagMeterOptions['groups'];
  readonly #topics: readonly string[];
  readonly #prefix: string;
  readonly #meter: LagMeter;
  #admin: Promise<Admin> | undefined;

  constructor({ topics = [], ...options }: TopicViewOptions) {
    this.#kafka = createKafka({
      brokers: options.brokers,
      clientId: 'topic-view',
      logger: options.logger,
      retries: RETRIES,
    });
    this.#groups = options.groups;
    this.#topics = [...new Set([...topics, ...options.groups.flatMap((group) => group.topics)])];
    this.#prefix = options.topicPrefix ?? '';
    this.#meter = new LagMeter(options);
  }

  /** @throws {Error} the brokers cannot be asked. */
  async look(): Promise<readonly TopicDescription[]> {
    const { lags } = await this.#meter.measure();
    const admin = await this.#connected();
    const existing = new Set(await admin.listTopics());
    const groups = await this.#membersOf(admin);
    const found: TopicDescription[] = [];
    // One after the other: asked for two topics at once, kafkajs may look for the second in metadata of the first.
    for (const topic of this.#topics) {
      const readers = this.#groups
        .filter((group) => group.topics.includes(topic))
        .map(({ name }) => readerOf(name, this.#prefix + topic, groups.get(name), ofTopic(lags, name, topic)));
      found.push({
        topic,
        readers,
        ...(existing.has(this.#prefix + topic)
          ? await this.#partitionsOf(admin, topic)
          : { problem: 'missing' as const, partitions: [] }),
      });
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#meter.close();
    await this.#admin?.then((admin) => admin.disconnect()).catch(() => undefined);
  }

  async #partitionsOf(admin: Admin, topic: string): Promise<Pick<TopicDescription, 'problem' | 'partitions'>> {
    const name = this.#prefix + topic;
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      const ends = new Map((await admin.fetchTopicOffsets(name)).map((end) => [end.partition, end]));
      const partitions = (topics[0]?.partitions ?? [])
        .map(({ partitionId, leader, replicas, isr }) => {
          const { low = '0', high = '0' } = ends.get(partitionId) ?? {};
          const [first, end] = [Number(low), Number(high)];
          return { partition: partitionId, leader, replicas, inSync: isr, first, end };
        })
        .toSorted((one, other) => one.partition - other.partition);
      return { problem: undefined, partitions };
    } catch (error) {
      if (!isWithoutLeader(error)) throw error;
      return { problem: 'leaderless', partitions: [] };
    }
  }

  async #membersOf(admin: Admin): Promise<ReadonlyMap<string, GroupDescription>> {
    const { groups } = await admin.describeGroups(this.#groups.map(({ name }) => this.#prefix + name));
    return new Map(groups.map((group) => [group.groupId.slice(this.#prefix.length), group]));
  }

  #connected(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = this.#kafka.admin();
      await admin.connect();
      return admin;
    })().catch((error: unknown) => {
      this.#admin = undefined;
      throw error;
    });
    return this.#admin;
  }
}

/** One look of a view of its own. @throws {Error} the brokers cannot be asked. */
export async function describeTopics(options: TopicViewOptions): Promise<readonly TopicDescription[]> {
  const view = new TopicView(options);
  try {
    return await view.look();
  } finally {
    await view.close();
  }
}

function ofTopic(lags: readonly GroupLag[], group: string, topic: string): readonly GroupLag[] {
  return lags
    .filter((lag) => lag.group === group && lag.topic === topic)
    .toSorted((one, other) => one.partition - other.partition);
}

function readerOf(
  group: string,
  topicName: string,
  description: GroupDescription | undefined,
  lags: readonly GroupLag[],
): TopicReader {
  const owners = new Map<number, GroupMember>();
  const members = (description?.members ?? []).map(({ memberId, clientId, clientHost, memberAssignment }) => {
    const member = { memberId, clientId, host: clientHost.replace(/^\//, '') };
    for (const partition of assignedPartitions(memberAssignment, topicName)) owners.set(partition, member);
    return member;
  });
  return {
    group,
    state: description?.state ?? 'Unknown',
    members,
    partitions: lags.map(({ partition, committed, messages, seconds }) => ({
      partition,
      committed,
      messages,
      seconds,
      owner: owners.get(partition),
    })),
  };
}

/** Empty while the group hands its partitions out: nobody has been told anything yet. */
function assignedPartitions(assignment: Buffer, topicName: string): readonly number[] {
  return kafkajs.AssignerProtocol.MemberAssignment.decode(assignment)?.assignment[topicName] ?? [];
}
