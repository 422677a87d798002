import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Database,
  isDatabaseUnavailable,
  isTransactionConflict,
  type Queryable,
  statement,
  together,
  type Transaction,
} from './index.ts';
import { createTestDatabase, type TestDatabase } from './testing.ts';

let scratch: TestDatabase;
let database: Database;
let operator: Database;

beforeAll(async () => {
  scratch = await createTestDatabase();
  database = new Database({ url: scratch.url, applicationName: 'database-spec', poolSize: 2 });
  operator = new Database({ url: scratch.superuserUrl, applicationName: 'database-spec-operator', poolSize: 1 });
  await database.query('CREATE TABLE notes (id integer PRIMARY KEY, text text NOT NULL)');
});

beforeEach(async () => {
  await database.query('TRUNCATE notes');
});

afterAll(async () => {
  await database.close();
  await operator.close();
  await scratch.drop();
});

const insert = statement('insert-note', 'INSERT INTO notes (id, text) VALUES ($1, $2)');
const lookAt = statement('just-look', 'SELECT $1::text AS one');

async function notes(): Promise<number[]> {
  const { rows } = await database.query<{ id: number }>('SELECT id FROM notes ORDER BY id');
  return rows.map(({ id }) => id);
}

async function sessionId(tx: Transaction): Promise<number> {
  const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('the work did not fail');
}

describe('a transaction', () => {
  it('keeps everything when its work resolves', async () => {
    const answer = await database.transaction(async (tx) => {
      await tx.query(insert(1, 'one'));
      await tx.query(insert(2, 'two'));
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await notes()).toEqual([1, 2]);
  });

  it('keeps nothing when its work rejects, and passes the error on unchanged', async () => {
    const reason = new Error('no');
    const failed = database.transaction(async (tx) => {
      await tx.query(insert(1, 'one'));
      throw reason;
    });
    expect(await failureOf(failed)).toBe(reason);
    expect(await notes()).toEqual([]);
  });

  it('rejects when its work hid a failed statement, because PostgreSQL then keeps nothing', async () => {
    const failed = database.transaction(async (tx) => {
      await tx.query(insert(1, 'one'));
      await tx.query(insert(1, 'again')).catch(() => {});
    });
    expect((await failureOf(failed)).message).toContain('was rolled back');
    expect(await notes()).toEqual([]);
  });

  it('refuses statements after its end, so that none slips into somebody else’s transaction', async () => {
    let leaked: Transaction | undefined;
    await database.transaction(async (tx) => {
      leaked = tx;
    });
    await expect(leaked?.query(insert(1, 'late'))).rejects.toThrow('the transaction is over');
    expect(await notes()).toEqual([]);
  });

  it('keeps its session and prepared statements after a statement was refused', async () => {
    const before = await database.transaction(sessionId);
    await failureOf(database.query(insert(1, null)));
    await failureOf(database.transaction((tx) => tx.query(insert(1, null))));
    expect(await database.transaction(sessionId)).toBe(before);
  });

  it('is a lost race for the second of two that wait for each other', async () => {
    await database.query(`INSERT INTO notes VALUES (1, 'one'), (2, 'two')`);
    const holdsBoth = Promise.withResolvers<void>();
    let held = 0;
    const lock = (first: number, second: number): Promise<unknown> =>
      database.transaction(async (tx) => {
        await tx.query('SELECT 1 FROM notes WHERE id = $1 FOR UPDATE', [first]);
        if (++held === 2) holdsBoth.resolve();
        await holdsBoth.promise;
        await tx.query('SELECT 1 FROM notes WHERE id = $1 FOR UPDATE', [second]);
      });
    const outcomes = await Promise.allSettled([lock(1, 2), lock(2, 1)]);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    expect(failures).toHaveLength(1);
    expect(isTransactionConflict(failures[0])).toBe(true);
  });

  it('gives up a lock that another transaction holds for too long, as a lost race', async () => {
    const hasty = new Database({ url: scratch.url, applicationName: 'hasty', poolSize: 1, lockTimeoutMs: 50 });
    await database.query(`INSERT INTO notes VALUES (1, 'one')`);
    const failed = await database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM notes FOR UPDATE');
      return failureOf(hasty.query('SELECT 1 FROM notes FOR UPDATE'));
    });
    await hasty.close();
    expect(isTransactionConflict(failed)).toBe(true);
  });
});

describe('statements that are begun together', () => {
  it('are answered in their order, and worked on in it', async () => {
    const answers = await database.transaction(async (tx) =>
      together([
        tx.query(insert(1, 'one')),
        tx.query<{ n: number }>('SELECT count(*)::int AS n FROM notes').then(({ rows }) => rows[0]?.n),
        'known',
        tx.query(insert(2, 'two')),
        tx.query<{ n: number }>('SELECT count(*)::int AS n FROM notes').then(({ rows }) => rows[0]?.n),
      ]),
    );
    expect([answers[1], answers[2], answers[4]]).toEqual([1, 'known', 2]);
  });

  it('fail for the reason of the first that failed, when all have ended', async () => {
    const ended: string[] = [];
    const failed = database.transaction((tx) =>
      together([
        // Its refusal comes a few turns later than those behind it, as that of a store does.
        tx.query(insert(1, null)).catch(async (error: unknown) => {
          for (let turn = 0; turn < 10; turn++) await Promise.resolve();
          ended.push('first');
          throw error;
        }),
        tx.query(insert(2, 'two')).finally(() => ended.push('second')),
      ]),
    );
    expect((await failureOf(failed)).message).toContain('null value in column "text"');
    expect(ended.toSorted()).toEqual(['first', 'second']);
    expect(await notes()).toEqual([]);
  });

  it('leave a session of their own to others only when their work is over', async () => {
    const single = new Database({ url: scratch.url, applicationName: 'database-spec-session', poolSize: 1 });
    try {
      let leaked: Queryable | undefined;
      await single.onOneSession(async (session) => {
        leaked = session;
        await together([session.query(insert(1, 'one')), session.query(insert(2, 'two'))]);
      });
      await expect(leaked?.query(insert(3, 'late'))).rejects.toThrow('the session was given back');
      const before = await single.transaction(sessionId);
      await failureOf(single.onOneSession((session) => session.query(insert(4, null))));
      expect(await single.transaction(sessionId)).toBe(before);
      expect(await notes()).toEqual([1, 2]);
    } finally {
      await single.close();
    }
  });
});

describe('a look', () => {
  it('is given up by the server after its time, changes nothing, and leaves its session as it was', async () => {
    const single = new Database({ url: scratch.url, applicationName: 'database-spec-look', poolSize: 1 });
    try {
      expect(await single.queryWithin(20_000, lookAt('1'))).toEqual([{ one: '1' }]);
      const startedAt = performance.now();
      const slow = await failureOf(single.queryWithin(50, 'SELECT pg_sleep(20)'));
      expect(isTransactionConflict(slow)).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      expect((await failureOf(single.queryWithin(20_000, insert(1, 'a')))).message).toContain('read-only transaction');
      await single.query('SELECT pg_sleep(0.1)');
      await single.query(insert(2, 'b'));
      expect(await notes()).toEqual([2]);
    } finally {
      await single.close();
    }
  });
});

describe('a session that the server ends', () => {
  it('fails its transaction at once, keeps nothing of it and is replaced', async () => {
    const failed = database.transaction(async (tx) => {
      await tx.query(insert(1, 'one'));
      const pid = await sessionId(tx);
      const interrupted = failureOf(tx.query('SELECT pg_sleep(60)'));
      await operator.query(`SELECT pg_terminate_backend($1)`, [pid]);
      throw await interrupted;
    });
    expect(isDatabaseUnavailable(await failureOf(failed))).toBe(true);
    expect(await notes()).toEqual([]);
  });

  it('fails its transaction also when it ends between two statements', async () => {
    const lost = Promise.withResolvers<Error>();
    const watched = new Database({
      url: scratch.url,
      applicationName: 'watched',
      poolSize: 1,
      onConnectionLost: lost.resolve,
    });
    const failed = watched.transaction(async (tx) => {
      await operator.query('SELECT pg_terminate_backend($1)', [await sessionId(tx)]);
      await lost.promise;
      await tx.query(insert(1, 'one'));
    });
    expect(isDatabaseUnavailable(await failureOf(failed))).toBe(true);
    await watched.query(insert(2, 'two'));
    await watched.close();
    expect(await notes()).toEqual([2]);
  });

  it('does not disturb anybody while it is idle', async () => {
    const lost = Promise.withResolvers<Error>();
    const watched = new Database({
      url: scratch.url,
      applicationName: 'watched',
      poolSize: 1,
      onConnectionLost: lost.resolve,
    });
    const pid = await watched.transaction(sessionId);
    await operator.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(isDatabaseUnavailable(await lost.promise)).toBe(true);
    expect(await watched.transaction(sessionId)).not.toBe(pid);
    await watched.close();
  });
});

describe('a server that is away', () => {
  it('is recognised, and work goes on when it is back', async () => {
    const line = await Line.open(scratch.url);
    const remote = new Database({ url: line.url, applicationName: 'remote', connectionTimeoutMs: 20_000 });
    await remote.query(insert(1, 'one'));

    const interrupted = failureOf(
      remote.transaction(async (tx) => {
        await tx.query(insert(2, 'two'));
        await line.cut();
        await tx.query(insert(3, 'three'));
      }),
    );
    expect(isDatabaseUnavailable(await interrupted)).toBe(true);
    expect(isDatabaseUnavailable(await failureOf(remote.query('SELECT 1')))).toBe(true);
    expect(isDatabaseUnavailable(await failureOf(remote.transaction(sessionId)))).toBe(true);

    await line.restore();
    await remote.query(insert(4, 'four'));
    expect(await notes()).toEqual([1, 4]);
    await remote.close();
    await line.cut();
  });

  it('is recognised when it stays silent, and a transaction does not wait for its rollback', async () => {
    const line = await Line.open(scratch.url);
    const remote = new Database({
      url: line.url,
      applicationName: 'remote',
      poolSize: 1,
      connectionTimeoutMs: 200,
      statementTimeoutMs: 700,
      unansweredTimeoutMs: 6_000,
    });
    await untilItHasASession(remote);
    const startedAt = performance.now();
    const failed = remote.transaction(async (tx) => {
      await tx.query(insert(1, 'one'));
      line.silence();
      await tx.query(insert(2, 'two'));
    });
    expect(isDatabaseUnavailable(await failureOf(failed))).toBe(true);
    // The silence is known after 6.7 s; a rollback would be waited for as long again.
    expect(performance.now() - startedAt).toBeLessThan(12_000);
    expect(isDatabaseUnavailable(await failureOf(remote.query('SELECT 1')))).toBe(true);
    await line.cut();
    await remote.close();
  });

  it('is recognised when it has no session left for the role', async () => {
    const role = new URL(scratch.url).username;
    await operator.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`);
    const crowded = new Database({ url: scratch.url, applicationName: 'crowded' });
    const failure = await failureOf(crowded.query('SELECT 1'));
    await operator.query(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
    await crowded.close();
    expect(isDatabaseUnavailable(failure)).toBe(true);
  });

  it('is recognised when the pool has no session free in time', async () => {
    const narrow = new Database({ url: scratch.url, applicationName: 'narrow', poolSize: 1, connectionTimeoutMs: 100 });
    await untilItHasASession(narrow);
    const failure = await narrow.transaction(() => failureOf(narrow.query('SELECT 1')));
    await narrow.close();
    expect(isDatabaseUnavailable(failure)).toBe(true);
  });
});

it('finds rows by their keys also where a statement was planned while its table was small', async () => {
  const session = await database.connect();
  try {
    await session.query(
      'CREATE TEMPORARY TABLE letter (id bigint PRIMARY KEY, body text) WITH (autovacuum_enabled = off)',
    );
    await session.query('SET plan_cache_mode = force_generic_plan');
    await session.query('PREPARE letters (bigint[]) AS SELECT body FROM letter WHERE id = ANY($1)');
    await session.query("INSERT INTO letter VALUES (0, 'Dear Ada')");
    await session.query('ANALYZE letter');
    await session.query("EXECUTE letters ('{0}')");
    await session.query("INSERT INTO letter SELECT id, 'Dear Ada' FROM generate_series(1, 2000) AS id");
    const { rows } = await session.query<{ 'QUERY PLAN': string }>("EXPLAIN EXECUTE letters ('{1,2,3}')");
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('letter_pkey');
  } finally {
    session.release(true);
  }
});

it('closes once, however often it is asked to, and fails what comes after as unavailable', async () => {
  const short = new Database({ url: scratch.url, applicationName: 'short' });
  await short.query('SELECT 1');
  await Promise.all([short.close(), short.close()]);
  expect(isDatabaseUnavailable(await failureOf(short.query('SELECT 1')))).toBe(true);
});

/** Opening one may take longer than an impatient pool waits; the one it has then it gives out at once. */
async function untilItHasASession(pool: Database): Promise<void> {
  for (const deadline = Date.now() + 20_000; ;) {
    const failure = await pool.query('SELECT 1').catch((error: unknown) => error as Error);
    if (!(failure instanceof Error)) return;
    if (Date.now() > deadline) throw failure;
  }
}

/** The network between a client and PostgreSQL, which a test can cut, restore and silence. */
class Line {
  readonly #server = net.createServer({ allowHalfOpen: false }, (client) => this.#join(client));
  readonly #sockets = new Set<net.Socket>();
  readonly #target: URL;
  #port = 0;
  #isSilent = false;

  private constructor(target: URL) {
    this.#target = target;
  }

  static async open(url: string): Promise<Line> {
    const line = new Line(new URL(url));
    await line.restore();
    return line;
  }

  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url.href;
  }

  async restore(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as net.AddressInfo).port;
  }

  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Accepts and swallows everything from now on. */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.unpipe().resume();
  }

  #join(client: net.Socket): void {
    this.#hold(client);
    if (this.#isSilent) return void client.resume();
    const upstream = net.connect(Number(this.#target.port), this.#target.hostname);
    this.#hold(upstream);
    client.pipe(upstream).pipe(client);
  }

  #hold(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
