import pg, { type QueryConfig, type QueryResultRow } from 'pg';

/** Something that answers SQL: the pool, or one open transaction. */
export interface Queryable {
  query<R extends QueryResultRow = QueryResultRow>(
    query: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<{ rows: R[]; rowCount: number | null }>;
}

const transactionBrand = Symbol('transaction');

/**
 * One open transaction. Only `Database.transaction` makes one, so a function that asks for it cannot be given the pool.
 * It refuses statements once its work has ended.
 */
export interface Transaction extends Queryable {
  readonly [transactionBrand]: true;
}

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`, so that an operator can tell whose session it is. */
  readonly applicationName: string;
  /** Sessions at most. Each costs the server a process of some MiB. */
  readonly poolSize?: number;
  /** How long to wait for a session, free or new. */
  readonly connectionTimeoutMs?: number;
  /** How long the server works on one statement. */
  readonly statementTimeoutMs?: number;
  /** How long past its timeout a statement may stay unanswered before the connection counts as lost. */
  readonly unansweredTimeoutMs?: number;
  /** How long one statement waits for another transaction's lock. */
  readonly lockTimeoutMs?: number;
  /** How long a transaction may stay open without a statement. */
  readonly idleInTransactionTimeoutMs?: number;
  /** Hears about sessions that the server or the network ended. The pool replaces them by itself. */
  readonly onConnectionLost?: (error: Error) => void;
}

// Two cores of a laptop keep about this many sessions busy; more only wait for each other inside the server.
const DEFAULT_POOL_SIZE = 8;

// Long enough for a server that forks under load, short enough to answer an HTTP client with 503 while it still waits.
const DEFAULT_CONNECTION_TIMEOUT_MS = 5_000;

// A batch takes milliseconds; what takes this long is stuck, and its locks stop everybody else.
const DEFAULT_STATEMENT_TIMEOUT_MS = 30_000;

// Rows are locked for the length of a batch. Waiting longer means a stuck holder: give up and let the batch run again.
const DEFAULT_LOCK_TIMEOUT_MS = 10_000;

// A process that stopped between two statements (paused, swapped out, partitioned) must not keep its locks for ever.
const DEFAULT_IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;

// A server within reach ends a slow statement itself and says so well within this time.
const DEFAULT_UNANSWERED_TIMEOUT_MS = 5_000;

// Statements here find rows by their keys. The server plans a prepared statement while its tables are still small, finds that reading
// all of a small table is cheapest, and keeps to it until the next ANALYZE, thousands of rows later. Where there is no index it still
// reads the table.
const PLAN_BY_INDEX = '-c enable_seqscan=off -c jit=off';

// A session keeps its prepared statements; reopening one for each burst would parse them again.
const SESSION_IDLE_TIMEOUT_MS = 60_000;

/** One service's PostgreSQL database: owns one pool of sessions. Whoever made it closes it. */
export class Database implements Queryable {
  /** For Prisma's adapter: `new PrismaPg(database.pool)`. It stays owned, and closed, by this object. */
  readonly pool: pg.Pool;
  readonly #url: string;
  #closing: Promise<void> | undefined;

  constructor(options: DatabaseOptions) {
    this.#url = options.url;
    const statementTimeoutMs = options.statementTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS;
    this.pool = new pg.Pool({
      connectionString: options.url,
      application_name: options.applicationName,
      options: PLAN_BY_INDEX,
      // Statements that are begun together share a round trip. The server still works on them one by one, in order.
      pipeline: true,
      max: options.poolSize ?? DEFAULT_POOL_SIZE,
      connectionTimeoutMillis: options.connectionTimeoutMs ?? DEFAULT_CONNECTION_TIMEOUT_MS,
      idleTimeoutMillis: SESSION_IDLE_TIMEOUT_MS,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + (options.unansweredTimeoutMs ?? DEFAULT_UNANSWERED_TIMEOUT_MS),
      lock_timeout: options.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? DEFAULT_IDLE_IN_TRANSACTION_TIMEOUT_MS,
      keepAlive: true,
    });
    // An 'error' nobody listens to ends the process. The pool listens to a session only while it is idle, and a lost
    // session may report twice: the server's farewell and the closed socket.
    this.pool.on('error', () => {});
    this.pool.on('connect', (session) => {
      session.on('error', () => {});
      session.once('error', (error) => options.onConnectionLost?.(error));
    });
  }

  /** One statement, on any free session, in a transaction of its own. */
  async query<R extends QueryResultRow = QueryResultRow>(
    query: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<{ rows: R[]; rowCount: number | null }> {
    // Not `pool.query`: it throws the session away, and its prepared statements, whenever a statement fails.
    return this.onOneSession((session) => session.query<R>(query, values));
  }

  /** Several statements on one session, each in a transaction of its own. Those that are begun together share a round trip. */
  async onOneSession<T>(work: (db: Queryable) => Promise<T>): Promise<T> {
    const session = await this.pool.connect();
    let isReusable = true;
    let isOver = false;
    try {
      return await work({
        query: async (query, values) => {
          // What is still at it when another statement failed must not go on in somebody else's transaction.
          if (isOver) throw new Error('the session was given back: await every statement inside the work');
          return run(session, query, values);
        },
      });
    } catch (error) {
      isReusable = isAnswer(error);
      throw error;
    } finally {
      isOver = true;
      session.release(!isReusable);
    }
  }

  /**
   * As `query`, but the server gives up after `withinMs`: for a look that must never become a burden. Reads only. Waiting for a
   * free session is not part of it.
   */
  queryWithin<R extends QueryResultRow>(withinMs: number, query: string | QueryConfig): Promise<readonly R[]> {
    return this.transaction(async (tx) => {
      await tx.query(limitRead(`${withinMs}ms`));
      return (await tx.query<R>(query)).rows;
    });
  }

  /**
   * All of `work` or nothing of it: commits what it did when it resolves, undoes it when it rejects, and rejects with
   * the same error. When the connection breaks during the commit itself the outcome is unknown: the work may have been
   * done, so it must be safe to do again.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const session = await this.pool.connect();
    const tx = new OpenTransaction(session);
    let isReusable = false;
    try {
      // Waited for before anything else is sent: what follows a BEGIN that failed would be committed statement by statement.
      await tx.query('BEGIN');
      const result = await work(tx);
      const { command } = await tx.end('COMMIT');
      // PostgreSQL answers the commit of a failed transaction with success and the word ROLLBACK.
      if (command !== 'COMMIT') throw new Error('the transaction was rolled back: one of its statements had failed');
      isReusable = true;
      return result;
    } catch (error) {
      isReusable = await tx.rollBack();
      throw error;
    } finally {
      session.release(!isReusable);
    }
  }

  /** Another pool for the same database, for work that must not take this one's sessions. Whoever asked for it closes it. */
  alongside(options: Omit<DatabaseOptions, 'url'>): Database {
    return new Database({ ...options, url: this.#url });
  }

  /** A session of its own, for advisory locks. The caller releases it, and `close` waits until it does. */
  connect(): Promise<pg.PoolClient> {
    return this.pool.connect();
  }

  /** Waits for work in progress, then ends every session. Calling it again waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.pool.end();
    return this.#closing;
  }
}

/**
 * What statements that were begun together bring, in their order. Waits for all of them; when some failed, it rejects with the error of
 * the first one, because inside a transaction that is why the others failed.
 */
export async function together<const Work extends readonly unknown[]>(
  begun: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  const ended = await Promise.allSettled(begun);
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return ended.map((end) => (end.status === 'fulfilled' ? end.value : undefined)) as {
    -readonly [Index in keyof Work]: Awaited<Work[Index]>;
  };
}

/** A prepared statement: parsed once per session under its name. One name always stands for the same text. */
export function statement(name: string, text: string): (...values: unknown[]) => QueryConfig {
  return (...values) => ({ name, text, values });
}

const limitRead = statement(
  'database.limit-read',
  "SELECT set_config('statement_timeout', $1, true), set_config('transaction_read_only', 'on', true)",
);

class OpenTransaction implements Transaction {
  readonly [transactionBrand] = true;
  readonly #session: pg.PoolClient;
  #isOver = false;
  #isSessionSound = true;

  constructor(session: pg.PoolClient) {
    this.#session = session;
  }

  async query<R extends QueryResultRow = QueryResultRow>(
    query: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<{ rows: R[]; rowCount: number | null }> {
    if (this.#isOver) throw new Error('the transaction is over: await every statement inside its work');
    return this.#run<R>(query, values);
  }

  end(query: 'COMMIT' | 'ROLLBACK'): Promise<pg.QueryResult> {
    this.#isOver = true;
    return this.#run(query);
  }

  /** True when the session is clean again; false when that cannot be known, so that it must not be used again. */
  async rollBack(): Promise<boolean> {
    this.#isOver = true;
    if (!this.#isSessionSound) return false;
    try {
      await this.end('ROLLBACK');
      return true;
    } catch {
      return false;
    }
  }

  async #run<R extends QueryResultRow>(
    query: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<R>> {
    try {
      return await run<R>(this.#session, query, values);
    } catch (error) {
      // After a lost or silent connection a ROLLBACK would only queue behind the unanswered statement.
      if (!isAnswer(error)) this.#isSessionSound = false;
      throw error;
    }
  }
}

function run<R extends QueryResultRow>(
  session: pg.PoolClient,
  query: string | QueryConfig,
  values?: readonly unknown[],
): Promise<pg.QueryResult<R>> {
  return values === undefined ? session.query<R>(query) : session.query<R>(query, [...values]);
}

/** The server refused the statement and the session goes on; anything else leaves it in an unknown state. */
function isAnswer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}
