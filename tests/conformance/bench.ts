import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadLetterTopic, encode, newId } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { migrateDeploy } from '@millrace/database/migrate';
import { type ServiceHandle, startService } from '@millrace/embedded';
import { ensureTopics, growTopic } from '@millrace/messaging/kafka';
import { messagingMigrations } from '@millrace/messaging/migrations';
import { type ReadRecord, TestTopics, until } from '@millrace/messaging/testing';
import { createLogger } from '@millrace/observability';
import type { Build } from './build.ts';
import { type Applied, difference } from './comparison.ts';
import { Enter, Entered, groups, type HandlerName, ledgerCommands, ledgerEvents } from './service/contracts.ts';

/** What scenarios run on: servers and a build of the service. */
export interface Grounds {
  readonly brokers: readonly string[];
  /** How many copies each record has. */
  readonly replicas: number;
  /** The superuser's connection to the database `postgres`. */
  readonly postgresUrl: string;
  readonly build: Build;
  /** Gets the logs of the services. */
  readonly logFolder: string;
  /** The longest wait for anything. */
  readonly patienceMs: number;
}

/** A process of the service. */
export interface Process {
  readonly handle: ServiceHandle;
  readonly name: string;
  /** Asks it to end and resolves when it has. */
  stop(): Promise<void>;
  /** Resolves when it was killed by its failpoint. Rejects when it ended in another way, or not in time. */
  killed(): Promise<void>;
}

export interface StartOptions {
  /** Where it dies. */
  readonly failpoint?: string;
  /** Tries of one message; 3 unless said. */
  readonly attempts?: number;
  /** What becomes of its key after the last one; it is skipped unless said. */
  readonly then?: 'skip' | 'hold';
}

/** Where a service keeps its books, with a session pool of the suite's own. */
export interface Books {
  readonly url: string;
  readonly database: Database;
  close(): Promise<void>;
}

// Several scenarios ask the same brokers and share the machine with what they ask about.
const LOOK_EVERY_MS = 100;

// Load that leaves a laptop room for the rest of the suite.
const PACE_MS = 50;

const TEMPLATE = 'conformance_template';

/** Makes the database that those of all scenarios are copied from: migrating takes a second, copying a tenth of one. */
export async function makeTemplate(postgresUrl: string, folder: string): Promise<void> {
  const server = sessionsOf(postgresUrl);
  await server.query(`CREATE DATABASE ${TEMPLATE}`);
  await server.close();
  const url = urlOf(postgresUrl, TEMPLATE);
  const schemaPath = join(folder, 'schema.prisma');
  writeFileSync(schemaPath, 'datasource db {\n  provider = "postgresql"\n}\n');
  await migrateDeploy({ url, schemaPath, migrationDirectories: [messagingMigrations] });
  const database = sessionsOf(url);
  await database.query(readFileSync(join(import.meta.dirname, 'service/tables.sql'), 'utf8'));
  await database.close();
}

async function openBooks(postgresUrl: string): Promise<Books> {
  const name = `conformance_${randomUUID().replaceAll('-', '')}`;
  const server = sessionsOf(postgresUrl);
  try {
    // One copy at a time: the template must have no other user meanwhile.
    const session = await server.connect();
    try {
      await session.query('SELECT pg_advisory_lock(1)');
      await session.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
    } finally {
      session.release(true);
    }
  } finally {
    await server.close();
  }
  const url = urlOf(postgresUrl, name);
  const database = sessionsOf(url);
  return { url, database, close: () => database.close() };
}

// On a machine that does much else a session takes seconds to open, and a copy of the template waits for those before it.
const SESSION_WITHIN_MS = 60_000;

/** Sessions of the suite's own. Whoever asked for them closes them. */
function sessionsOf(url: string): Database {
  return new Database({
    url,
    applicationName: 'conformance',
    poolSize: 2,
    connectionTimeoutMs: SESSION_WITHIN_MS,
    statementTimeoutMs: SESSION_WITHIN_MS,
    lockTimeoutMs: SESSION_WITHIN_MS,
  });
}

function urlOf(postgresUrl: string, database: string): string {
  const url = new URL(postgresUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/**
 * The world of one scenario: a database, topics and processes that nobody else has, and a memory of what was sent. Every wait ends by
 * condition, or rejects when the patience is over.
 */
export class Bench {
  readonly grounds: Grounds;
  readonly topics: TestTopics;
  readonly #admin: ReturnType<TestTopics['kafka']['admin']>;
  #books: Books | undefined;
  readonly #processes: Process[] = [];
  /** Account → the ids of its messages, in the order in which they were sent. */
  readonly sent = new Map<string, string[]>();
  readonly #lines = new Map<string, number>();
  /** How a process ended that was not asked to. */
  #unasked: string | undefined;

  private constructor(grounds: Grounds) {
    this.grounds = grounds;
    this.topics = new TestTopics(grounds.brokers.join(','));
    this.#admin = this.topics.kafka.admin();
  }

  static async open(grounds: Grounds): Promise<Bench> {
    const bench = new Bench(grounds);
    try {
      const [books] = await Promise.all([openBooks(grounds.postgresUrl), bench.#createTopics()]);
      bench.#books = books;
      return bench;
    } catch (error) {
      await bench.close();
      throw error;
    }
  }

  get books(): Books {
    if (this.#books === undefined) throw new Error('the bench has no database');
    return this.#books;
  }

  get database(): Database {
    return this.books.database;
  }

  /** Ends all processes at once and leaves nothing on the servers but the database, which goes with its server. */
  async close(): Promise<void> {
    await Promise.all(this.#processes.map(({ handle }) => handle.kill()));
    await this.#books?.close();
    await this.#admin.deleteTopics({ topics: this.#topicNames() }).catch(() => undefined);
    await this.#admin.disconnect();
    await this.topics.close();
  }

  #topicNames(): string[] {
    const letters = Object.values(groups).map((group) => deadLetterTopic(group));
    return [ledgerCommands, ledgerEvents, ...letters].map(({ name }) => this.topics.prefix + name);
  }

  async #createTopics(): Promise<void> {
    await this.#admin.connect();
    const letters = Object.values(groups).map((group) => deadLetterTopic(group));
    await ensureTopics(this.topics.kafka, [ledgerCommands, ledgerEvents, ...letters], {
      replicationFactor: this.grounds.replicas,
      topicPrefix: this.topics.prefix,
    });
  }

  /** Starts a process of the service with these handlers; none leaves a relay. */
  async start(handlers: readonly HandlerName[], options: StartOptions = {}): Promise<Process> {
    const name = `replica-${this.#processes.length + 1}`;
    const handle = await startService({
      name,
      cwd: this.grounds.build.folder,
      args: ['--enable-source-maps', '--max-old-space-size=256', join(this.grounds.build.folder, 'service/main.js')],
      env: {
        DATABASE_URL: this.books.url,
        KAFKA_BROKERS: this.grounds.brokers.join(','),
        KAFKA_TOPIC_PREFIX: this.topics.prefix,
        HANDLERS: handlers.join(','),
        // Starting is most of what a process of the suite does.
        NODE_COMPILE_CACHE: join(this.grounds.logFolder, 'compiled'),
        REPLICA: name,
        ...(options.failpoint === undefined ? {} : { FAILPOINT: options.failpoint }),
        ...(options.attempts === undefined ? {} : { ATTEMPTS: String(options.attempts) }),
        ...(options.then === undefined ? {} : { AFTER_ATTEMPTS: options.then }),
      },
      logFile: join(this.grounds.logFolder, `${this.topics.prefix}${name}.log`),
      onExit: ({ code, signal }, lastLines) => {
        if (options.failpoint !== undefined && signal === 'SIGKILL') return;
        const reason = lastLines.split('\n').findLast((line) => /^\w*Error|"level":"fatal"/.test(line)) ?? lastLines;
        this.#unasked ??= `${name} ended with ${signal ?? `exit code ${code}`} (${reason})`;
      },
    });
    const process: Process = {
      handle,
      name,
      stop: async () => void (await handle.stop()),
      killed: async () => {
        const ended = handle.exited.then(({ code, signal }) => {
          if (signal !== 'SIGKILL') throw new Error(`${name} ended with ${signal ?? `exit code ${code}`}`);
        });
        await this.#inTime(`${name} dies at its failpoint`, ended);
      },
    };
    this.#processes.push(process);
    return process;
  }

  /** Waits until a process that was asked to stop has heard of it. */
  async untilAsked({ handle, name }: Process): Promise<void> {
    await this.until(`${name} begins to stop`, () => handle.lastLines().includes('asked to stop'));
  }

  /** Starts a process and waits until all processes of its groups, this one included, share the partitions. */
  async join(handlers: readonly HandlerName[], members = 1, options: StartOptions = {}): Promise<Process> {
    const process = await this.start(handlers, options);
    for (const handler of handlers) await this.untilMembers(handler, members);
    return process;
  }

  async #inTime<T>(what: string, work: Promise<T>): Promise<T> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const timeoutMs = this.grounds.patienceMs;
    const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain until ${what}`)), timeoutMs);
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The ids of the members of a group whose members have agreed who gets what; undefined while they have not. */
  async members(handler: HandlerName): Promise<readonly string[] | undefined> {
    const { groups: found } = await this.#admin.describeGroups([this.topics.prefix + groups[handler]]);
    const [group] = found;
    if (group === undefined || !['Stable', 'Empty', 'Dead'].includes(group.state)) return undefined;
    return group.members.map(({ memberId }) => memberId).sort();
  }

  /** As `members`, whatever the group is doing. */
  async membersAtOnce(handler: HandlerName): Promise<readonly string[]> {
    const { groups: found } = await this.#admin.describeGroups([this.topics.prefix + groups[handler]]);
    return found.flatMap(({ members }) => members.map(({ memberId }) => memberId));
  }

  /**
   * Waits until `condition` answers something other than undefined, null or false, and resolves with it. Rejects when the patience is
   * over, and at once when a process has ended that nobody asked to.
   */
  async until<T>(
    what: string,
    condition: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  ): Promise<T> {
    return until(
      what,
      () => {
        if (this.#unasked !== undefined) throw new Error(`${this.#unasked}, before ${what}`);
        return condition();
      },
      { timeoutMs: this.grounds.patienceMs, everyMs: LOOK_EVERY_MS },
    );
  }

  async untilMembers(handler: HandlerName, count: number): Promise<readonly string[]> {
    return this.until(`${count} processes share the partitions of ${groups[handler]}`, async () => {
      const members = await this.members(handler).catch(() => undefined);
      return members?.length === count && members;
    });
  }

  /** New names. */
  accounts(count: number): readonly string[] {
    return Array.from({ length: count }, () => `account-${randomUUID().slice(0, 13)}`);
  }

  /** A record of the next line of an account, remembered as sent. */
  record(account: string): { id: string; topic: string; key: string; value: string; headers: Record<string, string> } {
    const line = (this.#lines.get(account) ?? 0) + 1;
    this.#lines.set(account, line);
    const id = newId();
    const { topic, key, value, headers } = encode(Enter({ account, line }), {
      id: id as never,
      source: 'conformance',
      time: new Date(),
      correlationId: id,
    });
    const ids = this.sent.get(account);
    if (ids) ids.push(id);
    else this.sent.set(account, [id]);
    return { id, topic, key, value, headers: { ...headers } };
  }

  /** A record as of an account that nobody has: what is made of it counts for nothing. */
  unsent(): ReturnType<Bench['record']> {
    const [account = ''] = this.accounts(1);
    const record = this.record(account);
    this.sent.delete(account);
    return record;
  }

  /** Appends records in this order, again and again while brokers are away: some may stand in their topic twice. */
  async deliver(records: Parameters<TestTopics['send']>[0]): Promise<void> {
    await this.until('the brokers have taken the records', () =>
      this.topics.send(records).then(
        () => true,
        () => false,
      ),
    );
  }

  /** Sends one line for each account, `rounds` times over, in one request per round; answers the ids. */
  async send(accounts: readonly string[], rounds = 1): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const records = accounts.map((account) => this.record(account));
      ids.push(...records.map(({ id }) => id));
      await this.deliver(records);
    }
    return ids;
  }

  /** Sends one line for each account again and again until `done` resolves. Rejects when it rejects. */
  async sendUntil(done: Promise<unknown>, accounts: readonly string[]): Promise<void> {
    let isDone = false;
    const end = (): void => void (isDone = true);
    done.then(end, end);
    while (!isDone) {
      await this.send(accounts);
      await sleep(PACE_MS);
    }
    await done;
  }

  async trouble(account: string, kind: 'refuse' | 'fail' | 'break' | 'wait', line?: number): Promise<void> {
    await this.database.query('INSERT INTO trouble VALUES ($1, $2, $3)', [account, line ?? null, kind]);
  }

  async noTrouble(account: string): Promise<void> {
    await this.database.query('DELETE FROM trouble WHERE account = $1', [account]);
  }

  /** Waits until a message of an account waits because of `trouble(account, 'wait')`; answers with which process. */
  async untilUnderWay(account: string): Promise<string> {
    return this.until(`a message of ${account} is being worked on`, async () => {
      const { rows } = await this.database.query<{ replica: string }>(
        `SELECT replica FROM outside WHERE what = 'wait' AND account = $1`,
        [account],
      );
      return rows[0]?.replica;
    });
  }

  /** What a group applied, in order. */
  async applied(handler: HandlerName): Promise<readonly (Applied & { readonly replica: string })[]> {
    const { rows } = await this.database.query<{ account: string; id: string; replica: string }>(
      'SELECT account, message_id AS id, replica FROM ledger WHERE consumer_group = $1 ORDER BY seq',
      [groups[handler]],
    );
    return rows;
  }

  async untilApplied(handler: HandlerName, count: number): Promise<void> {
    await this.until(`${count} messages are applied`, async () => (await this.applied(handler)).length >= count);
  }

  /** The next offset that a group wants of each partition of a topic. */
  async committed(handler: HandlerName): Promise<ReadonlyMap<number, bigint>> {
    const [topic] = await this.#admin.fetchOffsets({
      groupId: this.topics.prefix + groups[handler],
      topics: [this.topics.prefix + heardBy(handler)],
    });
    return new Map((topic?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  /** Waits until the group has committed all that its topic holds and nothing is parked. What it made of it is for others to judge. */
  async untilSettled(handler: HandlerName): Promise<void> {
    await this.untilCommitted(handler);
    await this.until(`nothing of ${groups[handler]} is parked`, async () => (await this.parked(handler)) === 0);
  }

  /** How many messages of a group are parked. */
  async parked(handler: HandlerName): Promise<number> {
    const { rows } = await this.database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM messaging.parked_message WHERE consumer_group = $1',
      [groups[handler]],
    );
    return rows[0]?.n ?? 0;
  }

  /** Waits until the group has committed all that its topic holds. */
  async untilCommitted(handler: HandlerName): Promise<void> {
    await this.until(
      `${groups[handler]} has committed everything`,
      async () => (await this.openPartitions(handler).catch(() => 1)) === 0,
    );
  }

  /** Puts the committed offsets of a group, that must have no members, back to the first record. */
  async forgetOffsets(handler: HandlerName): Promise<void> {
    await this.#admin.resetOffsets({
      groupId: this.topics.prefix + groups[handler],
      topic: this.topics.prefix + heardBy(handler),
      earliest: true,
    });
  }

  /** The offsets that a group has committed are behind those of these messages, and not behind others of their partitions. */
  async expectCommitted(handler: HandlerName, ids: ReadonlySet<string>): Promise<void> {
    const [records, committed] = await Promise.all([this.topics.read(heardBy(handler)), this.committed(handler)]);
    const wrong = records.filter(({ partition, offset, headers }) => {
      const isCommitted = (committed.get(partition) ?? -1n) > BigInt(offset);
      return isCommitted !== ids.has(headers['ce_id'] ?? '');
    });
    if (wrong.length > 0)
      throw new Error(`the offsets of ${wrong.length} messages are not committed as they are applied`);
  }

  /** The event about every message that was sent was applied to the read model, once and in the order of its account. */
  async expectProjected(): Promise<void> {
    const causes = new Map((await this.events()).map(({ headers }) => [headers['ce_id'], headers['causation-id']]));
    const applied = (await this.applied('project')).map(({ account, id }) => ({ account, id: causes.get(id) ?? id }));
    const wrong = difference(this.sent, applied);
    if (wrong !== undefined) throw new Error(`applied by ${groups.project}: ${wrong}`);
  }

  /** Gives a topic more partitions. Rejects when it cannot have them. */
  async grow(topic: string, partitions: number): Promise<void> {
    await growTopic({
      brokers: this.grounds.brokers,
      logger: createLogger({ service: 'conformance', level: 'silent' }),
      topic,
      partitions,
      databases: [{ name: 'ledger', database: this.database }],
      groups: [{ name: groups.project, topics: [ledgerEvents.name] }],
      topicPrefix: this.topics.prefix,
      grownBy: 'the suite',
      drainWithinMs: this.grounds.patienceMs,
    });
  }

  /** Every message that was sent, except `exempt`, was applied once and in the order of its account. */
  async expectApplied(handler: HandlerName, exempt: ReadonlySet<string> = new Set()): Promise<void> {
    const wrong = difference(this.sent, await this.applied(handler), exempt);
    if (wrong !== undefined) throw new Error(`applied by ${groups[handler]}: ${wrong}`);
  }

  /** How many partitions of the group's topic hold something that it has not committed. */
  async openPartitions(handler: HandlerName): Promise<number> {
    const [ends, committed] = await Promise.all([
      this.#admin.fetchTopicOffsets(this.topics.prefix + heardBy(handler)),
      this.committed(handler),
    ]);
    return ends.filter(({ partition, high }) => high !== '0' && (committed.get(partition) ?? -1n) < BigInt(high))
      .length;
  }

  async waitingInOutbox(): Promise<number> {
    const { rows } = await this.database.query<{ n: number }>('SELECT count(*)::int AS n FROM messaging.outbox');
    return rows[0]?.n ?? 0;
  }

  /** Waits until the outbox is empty. */
  async untilSaid(): Promise<void> {
    await this.until('the outbox is empty', async () => (await this.waitingInOutbox()) === 0);
  }

  /** The events, in the order of each partition. */
  async events(): Promise<readonly ReadRecord[]> {
    return (await this.topics.read(ledgerEvents.name)).filter(({ headers }) => headers['ce_type'] === Entered.wireType);
  }

  /**
   * Every message that was sent, except `exempt`, led to one event, in the order of its account. Repetitions of an event under the same
   * id are passed over unless they are `counted`.
   */
  async expectSaid(
    options: { readonly exempt?: ReadonlySet<string>; readonly repetitions?: 'allowed' | 'refused' } = {},
  ): Promise<void> {
    const events = await this.events();
    const seen = new Set<string>();
    const fresh = events.filter(({ headers }) => {
      const id = headers['ce_id'] ?? '';
      const isFresh = !seen.has(id);
      seen.add(id);
      return isFresh;
    });
    const said = (options.repetitions === 'refused' ? events : fresh).map(({ key, headers }) => ({
      account: key ?? '',
      id: headers['causation-id'] ?? '',
    }));
    const wrong = difference(this.sent, said, options.exempt);
    if (wrong !== undefined) throw new Error(`said about what was sent: ${wrong}`);
  }

  /** The dead letters of a group, as soon as there are `count`. */
  async letters(handler: HandlerName, count: number): Promise<readonly ReadRecord[]> {
    const { name } = deadLetterTopic(groups[handler]);
    await this.until(`${count} dead letters arrive`, async () => {
      const [end] = await this.#admin.fetchTopicOffsets(this.topics.prefix + name);
      return Number(end?.high ?? 0) >= count;
    });
    return this.topics.read(name);
  }

  /** What the outside world was asked, in order. */
  async calls(): Promise<readonly { account: string; id: string; key: string; began: number; ended: number | null }[]> {
    const { rows } = await this.database.query<{
      account: string;
      id: string;
      key: string;
      began: number;
      ended: number | null;
    }>(
      `SELECT account, message_id AS id, idempotency_key AS key, began::int, ended::int FROM outside
        WHERE what = 'call' ORDER BY began`,
    );
    return rows;
  }
}

function heardBy(handler: HandlerName): string {
  return handler === 'project' ? ledgerEvents.name : ledgerCommands.name;
}
