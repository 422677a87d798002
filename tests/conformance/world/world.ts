import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadLetterTopic, encode, newId } from '@millrace/contracts';
import { ensureTopics } from '@millrace/messaging/kafka';
import { type ReadRecord, TestTopics, until } from '@millrace/messaging/testing';
import { Enter, Entered, groups, type HandlerName, ledgerCommands, ledgerEvents } from '../service/contracts.ts';
import { Books } from './books.ts';
import type { Grounds } from './grounds.ts';
import { Groups } from './groups.ts';
import { type Replica, Replicas, type StartOptions } from './replicas.ts';

// Several scenarios ask the same brokers and share the machine with what they ask about.
const LOOK_EVERY_MS = 100;

// Load that leaves a laptop room for the rest of the suite.
const PACE_MS = 50;

/**
 * The world of one scenario: a database, topics and processes that nobody else has, and a memory of what was sent. Every wait ends by
 * condition, or rejects when the patience is over.
 */
export class World {
  readonly grounds: Grounds;
  readonly topics: TestTopics;
  readonly groups: Groups;
  readonly #admin: ReturnType<TestTopics['kafka']['admin']>;
  readonly #replicas: Replicas;
  #books: Books | undefined;
  /** Account → the ids of its messages, in the order in which they were sent. */
  readonly sent = new Map<string, string[]>();
  readonly #lines = new Map<string, number>();

  private constructor(grounds: Grounds) {
    this.grounds = grounds;
    this.topics = new TestTopics(grounds.brokers.join(','));
    this.#admin = this.topics.kafka.admin();
    this.groups = new Groups(this.#admin, this.topics.prefix);
    this.#replicas = new Replicas(grounds, this.topics.prefix);
  }

  static async open(grounds: Grounds): Promise<World> {
    const world = new World(grounds);
    try {
      const [books] = await Promise.all([Books.open(grounds.postgresUrl), world.#createTopics()]);
      world.#books = books;
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get books(): Books {
    if (this.#books === undefined) throw new Error('the world has no database');
    return this.#books;
  }

  /** Ends all processes at once and leaves nothing on the servers but the database, which goes with its server. */
  async close(): Promise<void> {
    await this.#replicas.kill();
    await this.#books?.close();
    const topics = ALL_TOPICS.map(({ name }) => this.topics.prefix + name);
    await this.#admin.deleteTopics({ topics }).catch(() => undefined);
    await this.#admin.disconnect();
    await this.topics.close();
  }

  async #createTopics(): Promise<void> {
    await this.#admin.connect();
    await ensureTopics(this.topics.kafka, ALL_TOPICS, {
      replicationFactor: this.grounds.replicas,
      topicPrefix: this.topics.prefix,
    });
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
        const { unasked } = this.#replicas;
        if (unasked !== undefined) throw new Error(`${unasked}, before ${what}`);
        return condition();
      },
      { timeoutMs: this.grounds.patienceMs, everyMs: LOOK_EVERY_MS },
    );
  }

  /** Waits for so long; `what` tells what would have come to pass by then. */
  async untilElapsed(what: string, ms: number): Promise<void> {
    const since = performance.now();
    await this.until(what, () => performance.now() - since > ms);
  }

  /** Starts a process of the service with these handlers; none leaves a relay. */
  async start(handlers: readonly HandlerName[], options: StartOptions = {}): Promise<Replica> {
    return this.#replicas.start(this.books.url, handlers, options);
  }

  /** Starts a process and waits until all processes of its groups, this one included, share the partitions. */
  async join(handlers: readonly HandlerName[], members = 1, options: StartOptions = {}): Promise<Replica> {
    const replica = await this.start(handlers, options);
    for (const handler of handlers) await this.untilMembers(handler, members);
    return replica;
  }

  async untilMembers(handler: HandlerName, count: number): Promise<readonly string[]> {
    return this.until(`${count} processes share the partitions of ${groups[handler]}`, async () => {
      const members = await this.groups.members(handler).catch(() => undefined);
      return members?.length === count && members;
    });
  }

  /** Waits until a process that was asked to stop has heard of it. */
  async untilAsked({ handle, name }: Replica): Promise<void> {
    await this.until(`${name} begins to stop`, () => handle.lastLines().includes('asked to stop'));
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
  unsent(): ReturnType<World['record']> {
    const [account = ''] = this.accounts(1);
    const record = this.record(account);
    this.sent.delete(account);
    return record;
  }

  /** Sends one line for each account, `rounds` times over, in one request per round. */
  async send(accounts: readonly string[], rounds = 1): Promise<void> {
    for (let round = 0; round < rounds; round++) await this.#deliver(accounts.map((account) => this.record(account)));
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

  /** Appends records in this order, again and again while brokers are away: some may stand in their topic twice. */
  async #deliver(records: Parameters<TestTopics['send']>[0]): Promise<void> {
    await this.until('the brokers have taken the records', () =>
      this.topics.send(records).then(
        () => true,
        () => false,
      ),
    );
  }

  /** Waits until a message of an account waits because of `trouble(account, 'wait')`; answers with which process. */
  async untilUnderWay(account: string): Promise<string> {
    return this.until(`a message of ${account} is being worked on`, () => this.books.heldUpBy(account));
  }

  async untilApplied(handler: HandlerName, count: number): Promise<void> {
    await this.until(`${count} messages are applied`, async () => (await this.books.applied(handler)).length >= count);
  }

  /** Waits until the group has committed all that its topic holds. */
  async untilCommitted(handler: HandlerName): Promise<void> {
    await this.until(
      `${groups[handler]} has committed everything`,
      async () => (await this.groups.openPartitions(handler).catch(() => 1)) === 0,
    );
  }

  /** Waits until the group has committed all that its topic holds and nothing is parked. What it made of it is for others to judge. */
  async untilSettled(handler: HandlerName): Promise<void> {
    await this.untilCommitted(handler);
    await this.until(`nothing of ${groups[handler]} is parked`, async () => (await this.books.parked(handler)) === 0);
  }

  /** Waits until the outbox is empty. */
  async untilSaid(): Promise<void> {
    await this.until('the outbox is empty', async () => (await this.books.waitingInOutbox()) === 0);
  }

  /** The events, in the order of each partition. */
  async events(): Promise<readonly ReadRecord[]> {
    return (await this.topics.read(ledgerEvents.name)).filter(({ headers }) => headers['ce_type'] === Entered.wireType);
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
}

const ALL_TOPICS = [ledgerCommands, ledgerEvents, ...Object.values(groups).map((group) => deadLetterTopic(group))];
