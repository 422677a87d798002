import type { Logger } from '@millrace/observability';
import type { Kafka } from '../kafka/client.ts';
import { type Fetched, LoneConsumer } from '../kafka/lone-consumer.ts';
import { backoffMs, Pause } from '../runtime/pause.ts';
import { Backlog, type Lane, type Offsets, type Taken } from './backlog.ts';

// One response of the broker, one partition's part of it, and for how long the broker may hold an empty one.
const FETCH = { maxBytes: 4 * 1024 * 1024, maxBytesPerPartition: 256 * 1024, maxWaitTimeInMs: 200 };

const MAX_BACKOFF_MS = 5000;

/**
 * Reads topics from given offsets, whatever happens to Kafka, and takes part in nothing. Fetches ahead in bounded memory; what is
 * handed out is up to limits of the caller.
 */
export class ReplayReader {
  readonly #kafka: Kafka;
  readonly #logger: Logger;
  readonly #prefix: string;
  readonly #family: string;
  readonly #backlog: Backlog;
  readonly #arrival = new Pause();
  readonly #retry = new Pause();
  #consumer: LoneConsumer | undefined;
  #running: Promise<void> | undefined;
  #isClosing = false;
  #problem: string | undefined;

  constructor(options: {
    readonly kafka: Kafka;
    readonly logger: Logger;
    readonly topicPrefix: string;
    readonly projection: string;
    /** Where to begin, by `topic/partition`; other partitions are not read. */
    readonly from: Offsets;
  }) {
    this.#kafka = options.kafka;
    this.#logger = options.logger;
    this.#prefix = options.topicPrefix;
    this.#family = `${options.topicPrefix}${options.projection}.replay.`;
    this.#backlog = new Backlog(options.from);
  }

  /** Why nothing arrives at present; undefined when it may. */
  get problem(): string | undefined {
    return this.#problem;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** As `Backlog.take`. */
  take(limits: Offsets, max: number, nexts: Offsets): Taken {
    return this.#backlog.take(limits, max, nexts);
  }

  /** What was taken is stored: it need not wait any more. */
  done(taken: Taken): void {
    for (const lane of this.#backlog.done(taken)) this.#fetch(lane, true);
  }

  /** Nothing below `low` exists any more: reading goes on there. */
  skipTo(topic: string, partition: number, low: bigint): void {
    const lane = this.#backlog.lane(topic, partition);
    if (lane === undefined || lane.fetchedTo >= low) return;
    lane.fetchedTo = low;
    this.#tell((consumer) => consumer.seek(topic, partition, low));
  }

  /** Resolves when something arrived, at the latest after `ms`. */
  more(ms: number): Promise<void> {
    return this.#arrival.wait(ms);
  }

  /** Ends a wait. */
  wake(): void {
    this.#arrival.wake();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#retry.wake();
    this.#arrival.wake();
    await this.#running;
    await this.#consumer?.disconnect();
    await this.#deleteGroups();
  }

  /** Also those that readers of this projection left behind when they were killed. */
  async #deleteGroups(): Promise<void> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      const { groups } = await admin.listGroups();
      await admin.deleteGroups(groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(this.#family)));
    } catch (error) {
      // One that is not empty yet goes another time; Kafka forgets an empty group by itself, too.
      this.#logger.debug({ err: error, groups: this.#family }, 'the group of a replay was not deleted');
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isClosing; attempt++) {
      const consumer = this.#newConsumer();
      this.#consumer = consumer;
      try {
        await consumer.run();
        return;
      } catch (error) {
        this.#lost(error);
        await consumer.disconnect();
        await this.#retry.wait(backoffMs(attempt, MAX_BACKOFF_MS));
      }
    }
  }

  #newConsumer(): LoneConsumer {
    const consumer: LoneConsumer = new LoneConsumer({
      kafka: this.#kafka,
      topicPrefix: this.#prefix,
      topics: this.#backlog.topics,
      groupPrefix: this.#family,
      fetch: FETCH,
      // Behind what was fetched: as the only member it keeps its partitions, and what waits stays.
      nextOf: (topic, partition) => this.#backlog.lane(topic, partition)?.fetchedTo,
      onJoin: () => {
        for (const lane of this.#backlog.lanes) this.#fetch(lane, !lane.isPaused);
        this.#problem = undefined;
      },
      onFetched: (fetched) => this.#onFetched(fetched),
      onCrash: (error) => {
        if (this.#isClosing) return;
        this.#lost(error);
        // Not waited for: what it hangs on is what it would wait for.
        void consumer.disconnect();
        this.#running = this.#retry.wait(backoffMs(1, MAX_BACKOFF_MS)).then(() => this.#run());
      },
    });
    return consumer;
  }

  #lost(error: unknown): void {
    this.#problem = `Kafka: ${error instanceof Error ? error.message : String(error)}`;
    this.#consumer = undefined;
  }

  #onFetched({ topic, partition, records }: Fetched): void {
    const lane = this.#backlog.lane(topic, partition);
    if (lane === undefined || this.#isClosing) return;
    if (this.#backlog.push(lane, records)) this.#fetch(lane, false);
    this.#arrival.wake();
  }

  #fetch({ topic, partition }: Lane, isOn: boolean): void {
    this.#tell((consumer) => (isOn ? consumer.resume(topic, partition) : consumer.pause(topic, partition)));
  }

  /** Does nothing while there is no group: the next join sets it right. */
  #tell(what: (consumer: LoneConsumer) => void): void {
    try {
      if (this.#consumer !== undefined) what(this.#consumer);
    } catch (error) {
      this.#logger.debug({ err: error, group: this.#consumer?.groupId }, 'no group to pause, resume or seek in');
    }
  }
}
