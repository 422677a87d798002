import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '@millrace/observability';
import kafkajs, { type Admin } from 'kafkajs';
import { CannotGrow } from './cannot-grow.ts';
import { createKafka, type Kafka } from './client.ts';
import { type TopicDescription, TopicView } from './describe.ts';
import { AlreadyFrozen, type ServiceDatabase, TopicFreeze } from './topic-freeze.ts';
import { untilLed } from './topic-step.ts';

// Long enough for a tool that hangs on a slow broker, short enough that customers of a dead one hardly notice.
const LEASE_MS = 60_000;
const RENEW_EVERY_MS = 10_000;

// What the request that adds partitions may take, with all its tries and the wait for one without an answer. The lease must
// outlast it.
const ADD_WITHIN_MS = 40_000;
const ADDED_WITHIN_MS = 10_000;
const RETRIES = 3;

// A relay looks between two batches; a batch that Kafka does not take is given up after some seconds.
const HOLD_BACK_WITHIN_MS = 30_000;

const DRAIN_WITHIN_MS = 60_000;

// Members look for new partitions every few seconds, and then share them out.
const NOTICE_WITHIN_MS = 30_000;

const LOOK_EVERY_MS = 200;

/** Where the growing of a topic stands. */
export type GrowProgress =
  /** Relays that are in the middle of a batch. */
  | { readonly step: 'holding-back'; readonly relays: number }
  /** What each group has not settled yet. */
  | { readonly step: 'draining'; readonly behind: readonly GroupBehind[] }
  | { readonly step: 'adding-partitions' }
  /** Sending goes on. Groups that do not own all partitions yet. */
  | { readonly step: 'sharing-out'; readonly groups: readonly string[] };

export interface GroupBehind {
  readonly group: string;
  readonly messages: number;
}

export interface GrownTopic {
  readonly topic: string;
  readonly from: number;
  readonly to: number;
  /** For how long nothing of the topic was sent. */
  readonly frozenMs: number;
  /** Groups with members that had not taken over all partitions in the end: what is in the others waits for them. */
  readonly unnoticedBy: readonly string[];
  /** Databases that could not be told that it is over: their relays go on within a minute. */
  readonly untold: readonly string[];
}

export interface GrowTopicOptions {
  readonly brokers: readonly string[];
  readonly logger: Logger;
  readonly topic: string;
  /** How many it shall have. */
  readonly partitions: number;
  /** Of every service, also of those that say nothing on the topic. */
  readonly databases: readonly ServiceDatabase[];
  /** Every consumer group, with the topics that it hears. */
  readonly groups: readonly { readonly name: string; readonly topics: readonly string[] }[];
  /** As in `MessagingOptions`; names given and answered are without it. */
  readonly topicPrefix?: string;
  /** Who does this, for somebody else who wants to at the same time. */
  readonly grownBy: string;
  /** For how long messages of the topic may wait in the outboxes until all groups have settled what came before. */
  readonly drainWithinMs?: number;
  /** Breaks it off, until partitions are being added: then it is carried through. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: GrowProgress) => void;
}

/**
 * Gives a topic more partitions while services run, without breaking the order of any key. A key's partition follows from how many
 * there are, so its later messages may go elsewhere: they are held back in the outboxes (orders are accepted all the while) until
 * every group has settled all earlier ones; then partitions are added and sending goes on.
 * @throws {CannotGrow} nothing was changed.
 * @throws {Error} Kafka or a database cannot be reached. The topic is as it was, unless that came after the partitions were added.
 */
export async function growTopic(options: GrowTopicOptions): Promise<GrownTopic> {
  const { brokers, logger, topic, topicPrefix = '' } = options;
  const kafka = createKafka({ brokers, clientId: 'grow-topic', logger, retries: RETRIES });
  const groups = options.groups
    .filter((group) => group.topics.includes(topic))
    .map(({ name }) => ({ name, topics: [topic] }));
  const view = new TopicView({ brokers, logger, topicPrefix, groups, topics: [topic] });
  const look = async (): Promise<TopicDescription> => {
    const [seen] = await view.look();
    if (seen === undefined) throw new Error(`${topic} cannot be looked at`);
    return seen;
  };
  try {
    return await new Growth(options, kafka, look).run();
  } finally {
    await view.close();
  }
}

class Growth {
  readonly #options: GrowTopicOptions;
  readonly #kafka: Kafka;
  readonly #look: () => Promise<TopicDescription>;
  readonly #name: string;

  constructor(options: GrowTopicOptions, kafka: Kafka, look: () => Promise<TopicDescription>) {
    this.#options = options;
    this.#kafka = kafka;
    this.#look = look;
    this.#name = (options.topicPrefix ?? '') + options.topic;
  }

  async run(): Promise<GrownTopic> {
    const { topic, partitions, databases, grownBy } = this.#options;
    const admin = this.#kafka.admin();
    await admin.connect();
    const freeze = new TopicFreeze(topic, LEASE_MS);
    let grownTo: number | undefined;
    let renewing: NodeJS.Timeout | undefined;
    let untold: readonly string[] = [];
    try {
      const from = await this.#checked(admin);
      const frozenAt = performance.now();
      try {
        await freeze.freeze(databases, grownBy);
        renewing = setInterval(() => void freeze.renew().catch(() => undefined), RENEW_EVERY_MS);
        await this.#heldBack(freeze);
        await this.#drained(freeze);
        await this.#addPartitions(admin, freeze);
        grownTo = partitions;
        await untilLed(admin, [{ name: this.#name, partitions }], '');
      } finally {
        clearInterval(renewing);
        untold = await freeze.thaw(grownTo);
      }
      const frozenMs = Math.round(performance.now() - frozenAt);
      return { topic, from, to: partitions, frozenMs, untold, unnoticedBy: await this.#sharedOut() };
    } catch (error) {
      if (!(error instanceof AlreadyFrozen)) throw error;
      throw new CannotGrow('busy', `${topic} is being given partitions by ${error.message}: wait for the end of that`);
    } finally {
      await admin.disconnect();
    }
  }

  /** Answers how many partitions there are. */
  async #checked(admin: Admin): Promise<number> {
    const { topic, partitions: wanted } = this.#options;
    const { problem, partitions, readers } = await this.#look();
    if (problem === 'missing') throw new CannotGrow('unknown-topic', `there is no topic ${topic}`);
    if (problem === 'leaderless') {
      throw new CannotGrow('leaderless', `${topic} has a partition without a leader: bring its broker back first`);
    }
    const { length: has } = partitions;
    if (!Number.isInteger(wanted) || wanted <= has) {
      throw new CannotGrow('not-more', `${topic} has ${has} partitions: say more than that, none can be taken away`);
    }
    if (await isCompacted(admin, this.#name)) {
      throw new CannotGrow(
        'compacted',
        `${topic} is compacted: the old values of its keys would stay in their old partitions for ever and come back with the ` +
          'next reader that starts from the beginning. Declare a new topic with more partitions and let its owner say everything again',
      );
    }
    const abandoned = readers.filter(({ members, partitions: read }) => members.length === 0 && behind(read) > 0);
    if (abandoned.length > 0) {
      throw new CannotGrow(
        'no-reader',
        `nobody works off what ${abandoned.map(({ group, partitions: read }) => `${group} (${behind(read)} messages)`).join(', ')} ` +
          `has before it in ${topic}: start its service first`,
      );
    }
    return has;
  }

  /** What relays had in hand is sent. */
  async #heldBack(freeze: TopicFreeze): Promise<void> {
    for (const deadline = Date.now() + HOLD_BACK_WITHIN_MS; ; await this.#pause()) {
      const relays = await freeze.relaysUnderway();
      this.#options.onProgress?.({ step: 'holding-back', relays });
      if (relays === 0) return;
      if (Date.now() > deadline) {
        throw new CannotGrow(
          'not-held-back',
          `${relays} relays did not finish their batch within ${HOLD_BACK_WITHIN_MS / 1000} s: is Kafka well?`,
        );
      }
    }
  }

  /** Every group has settled all that was sent. Parked messages are: they wait in the group's database, in the order of their key. */
  async #drained(freeze: TopicFreeze): Promise<void> {
    const { topic, drainWithinMs = DRAIN_WITHIN_MS } = this.#options;
    for (const deadline = Date.now() + drainWithinMs; ; await this.#pause()) {
      const { problem, partitions, readers } = await this.#look();
      const left = readers.flatMap(({ group, partitions: read }) =>
        behind(read) > 0 ? [{ group, messages: behind(read) }] : [],
      );
      this.#options.onProgress?.({ step: 'draining', behind: left });
      const isComplete =
        problem === undefined && readers.every((reader) => reader.partitions.length === partitions.length);
      if (isComplete && left.length === 0) return;
      if (freeze.safeForMs <= 0) throw leaseLost(topic);
      if (Date.now() > deadline) {
        const who = left.map(({ group, messages }) => `${group} (${messages} messages)`).join(', ');
        throw new CannotGrow(
          'not-drained',
          `${who} did not get to the end of ${topic} within ${drainWithinMs / 1000} s: try again when lag is low, or give it longer`,
        );
      }
    }
  }

  async #addPartitions(admin: Admin, freeze: TopicFreeze): Promise<void> {
    const { topic, partitions, signal, onProgress } = this.#options;
    if (signal?.aborted) throw interrupted(topic);
    if (!(await freeze.renew()) || freeze.safeForMs < ADD_WITHIN_MS) throw leaseLost(topic);
    onProgress?.({ step: 'adding-partitions' });
    try {
      await admin.createPartitions({ topicPartitions: [{ topic: this.#name, count: partitions }] });
    } catch (error) {
      // A request that got no answer may be carried out all the same.
      for (const deadline = Date.now() + ADDED_WITHIN_MS; ; await wait(LOOK_EVERY_MS)) {
        if ((await this.#look()).partitions.length === partitions) return;
        if (Date.now() < deadline && isInDoubt(error)) continue;
        const why = error instanceof Error ? error.message : String(error);
        throw new CannotGrow('not-added', `Kafka added no partitions to ${topic}: ${why}`, { cause: error });
      }
    }
  }

  /** Waits until those groups that have members own the new partitions too; answers those that do not in the end. */
  async #sharedOut(): Promise<readonly string[]> {
    const { onProgress, signal } = this.#options;
    for (const deadline = Date.now() + NOTICE_WITHIN_MS; ; await wait(LOOK_EVERY_MS)) {
      const { partitions, readers } = await this.#look();
      const groups = readers
        .filter(({ members }) => members.length > 0)
        .filter(({ partitions: read }) => read.filter(({ owner }) => owner).length < partitions.length)
        .map(({ group }) => group);
      onProgress?.({ step: 'sharing-out', groups });
      if (groups.length === 0 || Date.now() > deadline || signal?.aborted) return groups;
    }
  }

  async #pause(): Promise<void> {
    const { topic, signal } = this.#options;
    try {
      await wait(LOOK_EVERY_MS, undefined, signal === undefined ? {} : { signal });
    } catch {
      throw interrupted(topic);
    }
  }
}

function behind(read: readonly { readonly messages: number }[]): number {
  return read.reduce((sum, { messages }) => sum + messages, 0);
}

/** What Kafka refuses it says: then nothing was done. */
function isInDoubt(error: unknown): boolean {
  return !(error instanceof kafkajs.KafkaJSProtocolError) || error.type === 'REQUEST_TIMED_OUT';
}

function interrupted(topic: string): CannotGrow {
  return new CannotGrow('interrupted', `broken off: ${topic} is as it was`);
}

function leaseLost(topic: string): CannotGrow {
  return new CannotGrow(
    'lease-lost',
    `the services' databases could not be told in time that ${topic} is still held back, so it is sent again: try again`,
  );
}

async function isCompacted(admin: Admin, name: string): Promise<boolean> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] }],
  });
  return resources.some(({ configEntries }) =>
    configEntries.some(({ configValue }) => configValue.includes('compact')),
  );
}
