import { type Database, statement } from '@millrace/database';
import type { Logger, Metrics } from '@millrace/observability';
import { failpoint } from '../failpoints.ts';
import type { OutgoingRecord, RecordProducer, Written } from '../kafka/record-producer.ts';
import { backoffMs, Pause } from '../runtime/pause.ts';
import { SendSpans } from '../spans/send-spans.ts';
import { FrozenTopics } from './frozen-topics.ts';
import { bytesOf, type OutboxRecord, type Stored } from './outbox.ts';
import { OutboxMetrics } from './outbox-metrics.ts';
import { RecentRecords } from './recent-records.ts';
import { LOOK_AT_TOPICS, NOTIFY_CHANNEL } from './relay-channel.ts';
import { ShardLocks } from './shard-locks.ts';
import { type StoredHeaders, wireHeaders } from './stored-headers.ts';

// One round trip to the database and one to each broker for this many records.
const RELAY_BATCH_SIZE = 1000;

// Brokers refuse more than 1 MiB for one partition, and all of a batch may be for one: a refused batch would be sent for ever.
const RELAY_BATCH_BYTES = 900_000;

// After a commit the relay is woken. Polling is the safety net for a wake-up that was lost with another replica.
const IDLE_POLL_MIN_MS = 25;
const IDLE_POLL_MAX_MS = 500;

// How fast a relay that came or went is noticed by the others, and how soon a topic whose lease ran out is sent again.
const LOOK_AROUND_EVERY_MS = 1000;

const MAX_BACKOFF_MS = 2000;

/** One session of the database, dedicated to a relay. */
type Session = Awaited<ReturnType<Database['connect']>>;

/** Kafka did not take a batch; the cause is what its client said. */
class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** What is to be sent. */
interface Row extends Pick<OutboxRecord, 'topic' | 'key' | 'value' | 'encoding' | 'headers'> {
  readonly seq: string;
  readonly storedAt: Date;
  readonly bytes: number;
}

const selectOldest = statement(
  'messaging.outbox.oldest',
  `SELECT seq FROM messaging.outbox
    WHERE shard = ANY($1::smallint[]) AND topic <> ALL($3::text[]) ORDER BY seq LIMIT $2`,
);

const selectRows = statement(
  'messaging.outbox.rows',
  `SELECT seq, topic, key, value, encoding, headers, created_at FROM messaging.outbox WHERE seq = ANY($1::bigint[])`,
);

const deleteRows = statement('messaging.outbox.delete', 'DELETE FROM messaging.outbox WHERE seq = ANY($1::bigint[])');

export interface RelayOptions {
  readonly database: Database;
  readonly producer: RecordProducer;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly topicPrefix: string;
  readonly service: string;
}

/**
 * Sends what the outbox holds: at least once, in order per key, also with several relays on one database (one relay at a
 * time per shard, by advisory lock). A row is deleted only after its own partition acknowledged it; a crash between the two
 * sends the message again under the same id.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #pause = new Pause();
  readonly #spans: SendSpans;
  readonly #metrics: OutboxMetrics;
  readonly #recent = new RecentRecords();
  #running: Promise<void> | undefined;
  #isStopping = false;
  #held: ReadonlySet<number> = new Set();
  #outage: string | undefined;
  #notifyPending = false;
  #lookAroundAt = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#spans = new SendSpans(`${options.service}-relay`);
    this.#metrics = new OutboxMetrics(options.metrics, options.database);
  }

  /** Why nothing can be sent at present; undefined when it can. */
  get outage(): string | undefined {
    return this.#outage;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * This is about to be committed. To be told before, because a row can be seen as soon as it is committed, and by this relay earlier than by
   * whoever waits for the answer. What is not committed after all is never asked for.
   */
  remember({ records }: Stored): void {
    this.#recent.add(records);
  }

  /** This was committed. Cheap: to be called after each commit. */
  wake({ shards }: Stored): void {
    if (shards.size === 0) return;
    this.#pause.wake();
    // NOTIFY takes a lock of the whole database server, so it is used only for shards that another replica sends.
    if ([...shards].some((shard) => !this.#held.has(shard))) this.#notifyOthers();
  }

  /** Sends what is there and stops. Resolves early when Kafka or the database is away: the rows are safe and stay. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    this.#pause.wake();
    await this.#running;
    await this.#options.producer.disconnect();
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isStopping; attempt++) {
      try {
        await this.#session(() => (attempt = 0));
      } catch (error) {
        // Not by the error's code: a refused connection looks the same with both.
        const what = error instanceof NotSent ? 'Kafka' : 'the database';
        if (this.#outage === undefined) this.#options.logger.warn({ err: error }, `the outbox waits for ${what}`);
        this.#outage = `${what}: ${error instanceof Error ? error.message : String(error)}`;
        if (!this.#isStopping) await this.#pause.wait(backoffMs(attempt, MAX_BACKOFF_MS));
      }
    }
    this.#spans.close();
  }

  /** Sends on one database session until the relay stops; its locks end with it. */
  async #session(onSent: () => void): Promise<void> {
    const session = await this.#options.database.connect();
    // Another session may mean another database: one that was restored numbers its rows again from where it stands.
    this.#recent.clear();
    let lost: Error | undefined;
    const onLost = (error: Error): void => {
      lost = error;
    };
    session.on('error', onLost);
    session.on('notification', ({ payload }) => {
      if (payload === LOOK_AT_TOPICS) this.#lookAroundAt = 0;
      this.#pause.wake();
    });
    try {
      await session.query(`LISTEN ${NOTIFY_CHANNEL}`);
      // All that is written here are deletions of what Kafka has acknowledged. One that is lost with the server costs what a crash
      // before it costs: the message is sent again under the same id.
      await session.query('SET synchronous_commit = off');
      const locks = new ShardLocks(session);
      await locks.appear();
      this.#held = locks.held;
      await this.#sendUntilStopped(session, locks, () => {
        if (lost) throw lost;
        onSent();
      });
    } finally {
      this.#held = new Set();
      session.removeAllListeners('notification');
      session.off('error', onLost);
      // Destroyed, not returned: the session's advisory locks must end with this relay's hold on them.
      session.release(true);
    }
  }

  async #sendUntilStopped(session: Session, locks: ShardLocks, check: () => void): Promise<void> {
    const frozen = new FrozenTopics(session);
    this.#lookAroundAt = 0;
    for (let pollMs = IDLE_POLL_MIN_MS; ;) {
      check();
      if (Date.now() >= this.#lookAroundAt) {
        this.#lookAroundAt = Date.now() + LOOK_AROUND_EVERY_MS;
        await locks.balance();
        // A producer that knows too few partitions would send a key where its earlier messages are not.
        if (await frozen.look()) await this.#options.producer.disconnect();
      }
      const sent = await this.#sendBatch(session, locks.held, frozen);
      this.#recovered();
      if (sent > 0) {
        pollMs = IDLE_POLL_MIN_MS;
        continue;
      }
      if (this.#isStopping) return;
      await this.#pause.wait(pollMs);
      pollMs = Math.min(pollMs * 2, IDLE_POLL_MAX_MS);
    }
  }

  /** Sends the oldest rows of the shards, without those of frozen topics; answers how many rows there were. */
  async #sendBatch(session: Session, shards: ReadonlySet<number>, frozen: FrozenTopics): Promise<number> {
    if (shards.size === 0) return this.#nothingToSend();
    const { rows } = await session.query<{ seq: string }>(selectOldest([...shards], RELAY_BATCH_SIZE, frozen.heldBack));
    const batch = withinBytes(
      await this.#rowsOf(
        session,
        rows.map(({ seq }) => seq),
      ),
    );
    if (batch.length === 0) return this.#nothingToSend();
    const outgoing = batch.map((row) => this.#outgoing(row));
    const acknowledged = await this.#send(batch, outgoing, frozen.partitions);
    const acknowledgedAtMs = Date.now();
    failpoint('after-produce', 'relay');
    const done = batch.filter((_, index) => acknowledged[index]);
    const sent = done.map(({ seq }) => seq);
    await session.query(deleteRows(sent));
    for (const seq of sent) this.#recent.forget(seq);
    this.#metrics.acknowledged(done, acknowledgedAtMs);
    if (done.length < batch.length) {
      this.#options.logger.warn(
        { sent: batch.length, acknowledged: done.length },
        'Kafka did not acknowledge every partition; the rest is sent again',
      );
    }
    return batch.length;
  }

  /** The rows of these numbers, in their order: what this process stored itself it still knows. */
  async #rowsOf(session: Session, seqs: readonly string[]): Promise<readonly Row[]> {
    const rows = new Map<string, Row>();
    for (const seq of seqs) {
      const recent = this.#recent.get(seq);
      if (recent) rows.set(seq, { ...recent.record, seq, storedAt: recent.storedAt, bytes: recent.bytes });
    }
    // Asked for once, before anything is waited for: what is forgotten meanwhile would be overtaken by the rest of its key.
    const unknown = seqs.filter((seq) => !rows.has(seq));
    if (unknown.length > 0) for (const row of await readRows(session, unknown)) rows.set(row.seq, row);
    return seqs.flatMap((seq) => rows.get(seq) ?? []);
  }

  /** What this relay could not send before, another one has sent. */
  #nothingToSend(): number {
    this.#spans.close();
    return 0;
  }

  async #send(
    batch: readonly Row[],
    outgoing: readonly OutgoingRecord[],
    partitions: ReadonlyMap<string, number>,
  ): Promise<readonly (Written | undefined)[]> {
    const { producer, topicPrefix } = this.#options;
    try {
      const atLeast = new Map([...partitions].map(([topic, count]) => [topicPrefix + topic, count]));
      const written = await producer.send(outgoing, atLeast);
      this.#spans.answered(batch, written);
      return written;
    } catch (error) {
      this.#spans.failed(error);
      throw new NotSent(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** The record of a row, with its `send` span where its trace is recorded. */
  #outgoing(row: Row): OutgoingRecord {
    const headers = wireHeaders(row.headers);
    const topic = this.#options.topicPrefix + row.topic;
    this.#spans.open(row, headers);
    return { topic, key: wireText(row.key, row.encoding), value: wireText(row.value, row.encoding), headers };
  }

  #recovered(): void {
    if (this.#outage === undefined) return;
    this.#outage = undefined;
    this.#options.logger.info('the outbox is sending again');
  }

  #notifyOthers(): void {
    if (this.#notifyPending) return;
    this.#notifyPending = true;
    this.#options.database
      .query(`NOTIFY ${NOTIFY_CHANNEL}`)
      // A lost wake-up costs one poll interval, nothing else.
      .catch((error: unknown) => this.#options.logger.debug({ err: error }, 'could not wake the other relays'))
      .finally(() => (this.#notifyPending = false));
  }
}

async function readRows(session: Session, seqs: readonly string[]): Promise<readonly Row[]> {
  const { rows } = await session.query<
    Omit<Row, 'headers' | 'storedAt' | 'bytes'> & { headers: string; created_at: Date }
  >(selectRows(seqs));
  return rows.map(({ created_at: storedAt, headers, ...row }) => ({
    ...row,
    headers: JSON.parse(headers) as StoredHeaders,
    storedAt,
    bytes: bytesOf(row.value, headers),
  }));
}

/** The first rows, as many as one request may hold, at least one. */
function withinBytes(rows: readonly Row[]): readonly Row[] {
  let bytes = 0;
  const end = rows.findIndex((row, index) => {
    bytes += row.bytes;
    return index > 0 && bytes > RELAY_BATCH_BYTES;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

function wireText(text: string | null, encoding: string): Buffer | string | null {
  return text !== null && encoding === 'base64' ? Buffer.from(text, 'base64') : text;
}
