import { type AnyMessage, decoderOf } from '@millrace/contracts';
import {
  type Database,
  isDatabaseUnavailable,
  isTransactionConflict,
  statement,
  type Transaction,
} from '@millrace/database';
import type { ProjectHandler } from '../handlers/handler.ts';
import { failureOf } from '../runtime/dead-letter.ts';
import { isDeploymentFault } from '../runtime/deployment-fault.ts';
import type { Incoming } from '../runtime/incoming.ts';
import type { Taken } from './backlog.ts';
import { quoted } from './quoted.ts';
import type { Shadow } from './shadow-schema.ts';

/** Another replica has taken the replay over, or somebody ended it: nothing of this one counts any more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The projection cannot be rebuilt, whatever is read; the text says why. */
export class CannotReplay extends Error {
  override readonly name = 'CannotReplay';
}

/** Who replays what, as every statement of a batch needs it. */
export interface ReplayContext {
  readonly projection: string;
  readonly replayId: string;
  /** Names the lease. */
  readonly holder: string;
  readonly shadow: Shadow;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly handler: ProjectHandler<any>;
}

interface Heard {
  readonly incoming: Incoming;
  readonly message: AnyMessage;
}

interface LeftOut {
  readonly incoming: Incoming;
  readonly id: string;
  readonly key: string;
  readonly reason: string;
  readonly error: string;
}

// A fault of every message is one of the code, not of the messages.
const MAX_LEFT_OUT = 500;

/**
 * Applies batches to a shadow: each message once, in one transaction with how far that is. What fails is left out and noted, as the
 * live projection would park it or give it up.
 */
export class ShadowBatches {
  readonly #database: Database;
  readonly #context: ReplayContext;
  readonly #decode: ReturnType<typeof decoderOf>;
  /** Keys behind a message that was left out here and is parked in the live projection: order per key. */
  readonly #heldKeys: Set<string>;
  #leftOut: number;

  constructor(database: Database, context: ReplayContext, known: { heldKeys: Iterable<string>; leftOut: number }) {
    this.#database = database;
    this.#context = context;
    this.#decode = decoderOf(context.handler.hears);
    this.#heldKeys = new Set(known.heldKeys);
    this.#leftOut = known.leftOut;
  }

  /**
   * All of the batch or nothing of it.
   * @throws {LeaseLost} @throws {CannotReplay}
   */
  async apply(taken: Taken): Promise<void> {
    const { leftOut, held } = await this.#database.transaction((tx) => this.#apply(tx, taken));
    this.#leftOut += leftOut;
    for (const key of held) this.#heldKeys.add(key);
  }

  async #apply(tx: Transaction, { records, passed }: Taken): Promise<{ leftOut: number; held: ReadonlySet<string> }> {
    const { projection, replayId, holder, shadow } = this.#context;
    await tx.query(enterShadow(quoted(shadow.schema)));
    const heard: Heard[] = [];
    const leftOut: LeftOut[] = [];
    for (const incoming of records) {
      const decoded = this.#decode(incoming);
      if (decoded.kind === 'message') heard.push({ incoming, message: decoded.message });
      // Not understood by this build, but no fault of the record; what is malformed the live projection left out as well.
      else if (decoded.kind === 'malformed' && decoded.reason === 'newer-version' && decoded.id !== undefined) {
        const { reason, detail, id } = decoded;
        leftOut.push({ incoming, id, key: incoming.key?.toString('utf8') ?? '', reason, error: detail });
      }
    }
    const fresh = await this.#fresh(tx, heard);
    const failures: LeftOut[] = [];
    const held = new Set(this.#heldKeys);
    await this.#project(tx, fresh, failures, held);
    await this.#refuseForeignWrites(tx);
    leftOut.push(...failures);
    await this.#noteLeftOut(tx, leftOut);
    const [applied, duplicates] = [fresh.length - failures.length, heard.length - fresh.length];
    const { rowCount } = await tx.query(noteProgress(projection, replayId, holder, applied, duplicates));
    if (rowCount === 0) throw new LeaseLost(`the replay of ${projection} is no longer this replica's`);
    await tx.query(
      advance(
        projection,
        passed.map(({ topic }) => topic),
        passed.map(({ partition }) => partition),
        passed.map(({ next }) => next.toString()),
        passed.map(({ missing }) => missing.toString()),
      ),
    );
    return { leftOut: leftOut.length, held };
  }

  /** Those that are heard for the first time; the same id may also stand twice in one batch. */
  async #fresh(tx: Transaction, heard: readonly Heard[]): Promise<readonly Heard[]> {
    if (heard.length === 0) return [];
    const ids = [...new Set(heard.map(({ message }) => message.id))].sort();
    const { rows } = await tx.query<{ message_id: string }>(see(ids));
    const fresh = new Set(rows.map(({ message_id }) => message_id));
    return heard.filter(({ message }) => fresh.delete(message.id));
  }

  /** Halves what fails until the culprit is alone. Leaves out what follows a parked message that failed here, too. */
  async #project(tx: Transaction, fresh: readonly Heard[], leftOut: LeftOut[], held: Set<string>): Promise<void> {
    const messages = fresh.filter(({ incoming, message: { id, key } }) => {
      if (held.has(key)) leftOut.push({ incoming, id, key, reason: 'behind-parked', error: 'follows a parked one' });
      return !held.has(key);
    });
    if (messages.length === 0) return;
    await tx.query('SAVEPOINT shadow');
    try {
      await this.#context.handler.project(
        tx,
        messages.map(({ message }) => message),
      );
      await tx.query('RELEASE SAVEPOINT shadow');
    } catch (error) {
      if (isDatabaseUnavailable(error) || isTransactionConflict(error)) throw error;
      if (isDeploymentFault(error)) throw new CannotReplay(failureOf(error).error, { cause: error });
      await tx.query('ROLLBACK TO SAVEPOINT shadow');
      const [only] = messages;
      if (messages.length === 1 && only !== undefined) {
        const { reason, error: text } = failureOf(error);
        const { incoming, message } = only;
        leftOut.push({ incoming, id: message.id, key: message.key, reason, error: text });
        if (await this.#isParked(tx, message.id)) held.add(message.key);
        if (this.#leftOut + leftOut.length > MAX_LEFT_OUT) {
          throw new CannotReplay(`more than ${MAX_LEFT_OUT} messages could not be applied, at last: ${text}`);
        }
        return;
      }
      const middle = Math.ceil(messages.length / 2);
      await this.#project(tx, messages.slice(0, middle), leftOut, held);
      await this.#project(tx, messages.slice(middle), leftOut, held);
    }
  }

  /** Or a table that the handler forgot to name would be written twice: by the live projection and by this. */
  async #refuseForeignWrites(tx: Transaction): Promise<void> {
    const { rows } = await tx.query<{ name: string }>(writtenElsewhere(this.#context.shadow.schema));
    if (rows.length === 0) return;
    const names = rows.map(({ name }) => name).join(', ');
    throw new CannotReplay(
      `${this.#context.projection} writes ${names}, which it does not name in its tables; nothing was written there`,
    );
  }

  async #isParked(tx: Transaction, id: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      'SELECT FROM messaging.parked_message WHERE consumer_group = $1 AND message_id = $2',
      [this.#context.projection, id],
    );
    return (rowCount ?? 0) > 0;
  }

  async #noteLeftOut(tx: Transaction, leftOut: readonly LeftOut[]): Promise<void> {
    if (leftOut.length === 0) return;
    await tx.query(
      `INSERT INTO messaging.replay_left_out
         (projection, topic, partition, record_offset, message_id, key, reason, error, is_parked)
       SELECT $1, u.topic, u.partition, u.record_offset, u.message_id, u.key, u.reason, u.error,
              EXISTS (SELECT FROM messaging.parked_message p WHERE p.consumer_group = $1 AND p.message_id = u.message_id)
         FROM unnest($2::text[], $3::int[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::text[])
           AS u(topic, partition, record_offset, message_id, key, reason, error)`,
      [
        this.#context.projection,
        leftOut.map(({ incoming }) => incoming.topic),
        leftOut.map(({ incoming }) => incoming.partition),
        leftOut.map(({ incoming }) => incoming.offset),
        leftOut.map(({ id }) => id),
        leftOut.map(({ key }) => key),
        leftOut.map(({ reason }) => reason),
        leftOut.map(({ error }) => error.slice(0, 1000)),
      ],
    );
  }
}

// A crash of the database may take the last moments of a shadow, together with how far it was: they are read again.
const enterShadow = statement(
  'messaging.replay.enter',
  `SELECT set_config('search_path', $1 || ', ' || current_setting('search_path'), true),
          set_config('synchronous_commit', 'off', true)`,
);

const see = statement(
  'messaging.replay.see',
  `INSERT INTO replay_seen SELECT id FROM unnest($1::uuid[]) AS id ON CONFLICT DO NOTHING RETURNING message_id`,
);

const noteProgress = statement(
  'messaging.replay.progress',
  `UPDATE messaging.replay SET applied = applied + $4, duplicates = duplicates + $5
    WHERE projection = $1 AND replay_id = $2 AND leased_by = $3 AND ended_at IS NULL`,
);

const advance = statement(
  'messaging.replay.advance',
  `UPDATE messaging.replay_position AS p SET next_offset = u.next, missing = p.missing + u.missing
     FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[]) AS u(topic, partition, next, missing)
    WHERE p.projection = $1 AND p.topic = u.topic AND p.partition = u.partition`,
);

// Whoever writes a table locks it until the end of the transaction; readers take a weaker lock.
const writtenElsewhere = statement(
  'messaging.replay.written-elsewhere',
  `SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relkind IN ('r', 'p')
      AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      AND n.nspname <> $1 AND n.nspname NOT LIKE 'pg\\_%'`,
);
