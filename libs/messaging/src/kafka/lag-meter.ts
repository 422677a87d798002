import type { Logger } from '@millrace/observability';
import type { Admin } from 'kafkajs';
import { createKafka, type Kafka } from './client.ts';
import { LogTimeline } from './log-timeline.ts';
import { placeOf } from './place-of.ts';

// Whoever measures measures again soon: better no answer now than a late one.
const RETRIES = 1;

// Questions about the past per topic and measurement. What stays open is asked at the next one, and is told with what is known.
const MAX_QUESTIONS = 8;

/** What a consumer group has not settled yet of one partition. */
export interface GroupLag {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** The offset at which the group goes on; undefined where it never committed. */
  readonly committed: number | undefined;
  /** Offsets between the group's position and the end. In a compacted topic some of them have no record any more. */
  readonly messages: number;
  /** How long ago the first of them was appended; 0 when there is none. */
  readonly seconds: number;
}

/** How far the groups are behind, and whether the brokers can be relied on. */
export interface LagReport {
  /** Partitions without a leader are left out: nobody knows where they end. */
  readonly lags: readonly GroupLag[];
  readonly brokers: number;
  /** Partitions that miss a replica. */
  readonly underReplicated: number;
  /** Partitions without a leader; a topic with such partitions counts once, because the client tells no more. */
  readonly offline: number;
}

export interface LagMeterOptions {
  readonly brokers: readonly string[];
  readonly logger: Logger;
  /** Which topics each group hears: a group that never committed has their whole logs before it. */
  readonly groups: readonly { readonly name: string; readonly topics: readonly string[] }[];
  /** As in `MessagingOptions`; answers come without it. */
  readonly topicPrefix?: string;
}

type TopicMetadata = Awaited<ReturnType<Admin['fetchTopicMetadata']>>['topics'][number];

interface GroupPosition {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
}

interface PartitionEnds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Measures lag from the broker's own books (committed offsets, log ends), so also while consumers are dead.
 *
 * Seconds, as kafka-lag-exporter finds them: each measurement remembers where the logs ended, and the first record that is not
 * settled is looked up between two of these points. Where they do not reach back far enough (the meter was started later, the
 * lag is old) the broker is asked where its log stood at chosen times. The answer is wrong by at most 5 s or a tenth of itself,
 * whichever is more, plus the difference between the producers' clocks and this one's.
 */
export class LagMeter {
  readonly #kafka: Kafka;
  readonly #groups: readonly { readonly name: string; readonly topics: readonly string[] }[];
  readonly #topics: readonly string[];
  readonly #prefix: string;
  readonly #timelines = new Map<string, LogTimeline>();
  #admin: Promise<Admin> | undefined;
  #measuring: Promise<LagReport> | undefined;

  constructor({ brokers, logger, groups, topicPrefix = '' }: LagMeterOptions) {
    this.#kafka = createKafka({ brokers, clientId: 'lag-meter', logger, retries: RETRIES });
    this.#prefix = topicPrefix;
    this.#groups = groups;
    this.#topics = [...new Set(groups.flatMap(({ topics }) => topics))];
  }

  /**
   * Measures now; who asks during a measurement gets that one.
   * @throws {Error} the brokers cannot be asked; the next measurement tries on new connections.
   */
  measure(): Promise<LagReport> {
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined));
    return this.#measuring;
  }

  async close(): Promise<void> {
    await this.#measuring?.catch(() => undefined);
    await this.#dropConnections();
  }

  async #measure(): Promise<LagReport> {
    try {
      const admin = await this.#connected();
      const health = await this.#health(admin);
      const topics = this.#topics.filter((topic) => health.led.has(this.#prefix + topic));
      // Positions before ends: what is settled meanwhile must not make a lag that never was negative. All of it one after the other:
      // asked for two topics at once, kafkajs may look for the second in metadata of the first.
      const positions: GroupPosition[] = [];
      for (const group of this.#groups) positions.push(...(await this.#positions(admin, group, topics)));
      const ends = new Map<string, readonly PartitionEnds[]>();
      for (const topic of topics) ends.set(topic, await this.#endsOf(admin, topic));
      const { brokers, underReplicated, offline } = health;
      return { lags: await this.#lags(admin, positions, ends), brokers, underReplicated, offline };
    } catch (error) {
      // A topic that one client failed on spoils its every later question.
      void this.#dropConnections();
      throw error;
    }
  }

  async #health(admin: Admin): Promise<Omit<LagReport, 'lags'> & { readonly led: ReadonlySet<string> }> {
    const { topics, offline, brokers } = await this.#cluster(admin);
    const partitions = topics.flatMap((topic) => topic.partitions);
    return {
      brokers: brokers ?? new Set(partitions.flatMap(({ isr }) => isr)).size,
      underReplicated: partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
      offline,
      led: new Set(topics.map(({ name }) => name)),
    };
  }

  /**
   * All topics and brokers of the cluster. Where one topic has no leader the client tells of none, and of no brokers: then the
   * heard topics are asked for one by one, and the brokers in sync with one of them are those in service.
   */
  async #cluster(admin: Admin): Promise<{ topics: TopicMetadata[]; offline: number; brokers?: number }> {
    try {
      const { topics } = await admin.fetchTopicMetadata();
      const { brokers } = await admin.describeCluster();
      return { topics, offline: 0, brokers: brokers.length };
    } catch (error) {
      if (!isWithoutLeader(error)) throw error;
    }
    let offline = 0;
    const topics: TopicMetadata[] = [];
    for (const topic of this.#topics) {
      try {
        topics.push(...(await admin.fetchTopicMetadata({ topics: [this.#prefix + topic] })).topics);
      } catch (error) {
        if (!isWithoutLeader(error)) throw error;
        offline += 1;
      }
    }
    return { topics, offline: Math.max(1, offline) };
  }

  /** The offset at which a group goes on in each partition; -1 where it never committed. */
  async #positions(
    admin: Admin,
    { name: group, topics: heard }: { readonly name: string; readonly topics: readonly string[] },
    topics: readonly string[],
  ): Promise<readonly GroupPosition[]> {
    const asked = heard.filter((topic) => topics.includes(topic)).map((topic) => this.#prefix + topic);
    if (asked.length === 0) return [];
    const answers = await admin.fetchOffsets({ groupId: this.#prefix + group, topics: asked });
    return answers.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({
        group,
        topic: topic.slice(this.#prefix.length),
        partition,
        position: Number(offset),
      })),
    );
  }

  async #endsOf(admin: Admin, topic: string): Promise<readonly PartitionEnds[]> {
    const offsets = await admin.fetchTopicOffsets(this.#prefix + topic);
    const timeMs = Date.now();
    return offsets.map(({ partition, low, high }) => {
      this.#timeline(topic, partition).note({ timeMs, offset: Number(high) });
      return { partition, low: Number(low), high: Number(high) };
    });
  }

  async #lags(
    admin: Admin,
    positions: readonly GroupPosition[],
    ends: ReadonlyMap<string, readonly PartitionEnds[]>,
  ): Promise<readonly GroupLag[]> {
    const open = positions.flatMap(({ group, topic, partition, position }) => {
      const end = ends.get(topic)?.find((each) => each.partition === partition);
      if (!end) return [];
      // What retention took away nobody can settle any more.
      const next = Math.max(position, end.low);
      const committed = position < 0 ? undefined : position;
      return [{ group, topic, partition, committed, next, messages: Math.max(0, end.high - next) }];
    });
    for (const [place, here] of Map.groupBy(open, ({ topic, partition }) => placeOf(topic, partition))) {
      this.#timelines.get(place)?.forgetBelow(Math.min(...here.map(({ next }) => next)));
    }
    const behind = open.filter(({ messages }) => messages > 0);
    for (const [topic, of] of Map.groupBy(behind, ({ topic }) => topic)) await this.#lookBack(admin, topic, of);
    const nowMs = Date.now();
    return open.map(({ group, topic, partition, committed, next, messages }) => {
      const appendedAtMs = messages === 0 ? undefined : this.#timeline(topic, partition).appendedAtMs(next);
      const seconds = appendedAtMs === undefined ? 0 : Math.max(0, nowMs - appendedAtMs) / 1000;
      return { group, topic, partition, committed, messages, seconds };
    });
  }

  /** Asks where the logs of a topic stood at earlier times, until all of `offsets` can be dated well enough. */
  async #lookBack(
    admin: Admin,
    topic: string,
    offsets: readonly { readonly partition: number; readonly next: number }[],
  ): Promise<void> {
    for (let questions = 0; questions < MAX_QUESTIONS; questions++) {
      const nowMs = Date.now();
      const [earliest] = offsets
        .flatMap(({ partition, next }) => this.#timeline(topic, partition).nextQuestionMs(next, nowMs) ?? [])
        .toSorted((a, b) => a - b);
      if (earliest === undefined) return;
      const timeMs = Math.max(0, Math.floor(earliest));
      // One answer tells of all partitions.
      for (const { partition, offset } of await admin.fetchTopicOffsetsByTimestamp(this.#prefix + topic, timeMs)) {
        this.#timeline(topic, partition).note({ timeMs, offset: Number(offset) });
      }
    }
  }

  #timeline(topic: string, partition: number): LogTimeline {
    const place = placeOf(topic, partition);
    let timeline = this.#timelines.get(place);
    if (!timeline) this.#timelines.set(place, (timeline = new LogTimeline()));
    return timeline;
  }

  #connected(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = this.#kafka.admin();
      await admin.connect();
      return admin;
    })();
    return this.#admin;
  }

  async #dropConnections(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}

/** The topic has a partition without a leader. */
export function isWithoutLeader(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { type?: unknown }).type === 'LEADER_NOT_AVAILABLE' || isWithoutLeader(error.cause);
}
