import { isDatabaseUnavailable, isTransactionConflict } from '@millrace/database';
import type { Received } from '../runtime/received.ts';
import { backoffMs, Pause } from '../runtime/pause.ts';
import type { GroupContext, Settlement } from '../runtime/settlement.ts';
import { claimDue, dueInMs, endLeases, type Lease } from './leases.ts';
import { queuesOf } from './parked-rows.ts';

// What other replicas parked, and then died, is found this late.
const LOOK_EVERY_MS = 2000;

// A key that somebody is just settling is due and cannot be had: it is asked for again, but not without a breath.
const BREATH_MS = 25;

const MAX_BACKOFF_MS = 5000;

/** Who tries parked messages again. */
export interface Retrier {
  /** How many keys it would take on now; 0 while work waits for an outage. */
  readonly room: number;
  /** How many messages it would take on at once, of all keys together and at least one of each. */
  readonly messages: number;
  /** How long a key may stay with it before another replica takes it on. */
  readonly leaseMs: number;
  /** Settles parked messages, in order per key, or leaves them. Never rejects. */
  retry(messages: readonly Received[]): Promise<void>;
}

/**
 * Takes on the parked keys of a group that are due, as long as the service runs, whoever parked them. Replicas share them: a key is
 * with one at a time, and goes to another when that one dies.
 */
export class RetryLoop {
  readonly #context: GroupContext;
  readonly #settlement: Settlement;
  readonly #retrier: Retrier;
  readonly #pause = new Pause();
  readonly #underway = new Set<Promise<void>>();
  #running: Promise<void> | undefined;
  #isStopping = false;
  #alarm: { readonly atMs: number; readonly timer: NodeJS.Timeout } | undefined;

  constructor(context: GroupContext, settlement: Settlement, retrier: Retrier) {
    this.#context = context;
    this.#settlement = settlement;
    this.#retrier = retrier;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A key of this group is due in so many milliseconds. */
  soon(ms: number): void {
    const atMs = performance.now() + ms;
    if (this.#isStopping || ms > LOOK_EVERY_MS || (this.#alarm !== undefined && this.#alarm.atMs <= atMs)) return;
    clearTimeout(this.#alarm?.timer);
    const timer = setTimeout(() => {
      this.#alarm = undefined;
      this.#pause.wake();
    }, ms);
    this.#alarm = { atMs, timer };
  }

  /** Takes on nothing more and resolves when what is under way is settled or left. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#alarm?.timer);
    this.#pause.wake();
    await this.#running;
    await Promise.all(this.#underway);
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isStopping;) {
      try {
        if (!(await this.#takeOn())) await this.#rest();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (!isDatabaseUnavailable(error) && !isTransactionConflict(error)) {
          const { logger, group } = this.#context;
          logger.error({ err: error, group }, 'parked messages could not be looked for, trying again');
        }
        await this.#pause.wait(backoffMs(failures, MAX_BACKOFF_MS));
      }
    }
  }

  /** Answers whether there was anything due. */
  async #takeOn(): Promise<boolean> {
    const { room, leaseMs, messages: most } = this.#retrier;
    const { database, group } = this.#context;
    if (room === 0) return false;
    const leasedAtMs = performance.now();
    const leases = await claimDue(database, group, room, leaseMs);
    if (leases.length === 0) return false;
    const byKey = new Map(leases.map((lease) => [lease.key, lease]));
    // One that failed before is tried alone: those behind it would only be read in vain.
    const share = Math.max(1, Math.floor(most / leases.length));
    const counts = new Map(leases.map(({ key, attempts }) => [key, attempts > 0 ? 1 : share]));
    const rows = await queuesOf(database, group, counts);
    const messages = rows.flatMap(({ key, seq, redrives, redriveOf, incoming }): readonly Received[] => {
      const lease = byKey.get(key);
      return lease === undefined
        ? []
        : [this.#settlement.received(incoming, { ...lease, leasedAtMs, seq, redrives, redriveOf })];
    });
    const underway: Promise<void> = this.#retrier
      .retry(messages)
      .then(() => this.#endLeases(leases))
      .finally(() => {
        this.#underway.delete(underway);
        this.#pause.wake();
      });
    this.#underway.add(underway);
    return true;
  }

  /** Of what was left. What was settled has ended its lease itself. */
  async #endLeases(leases: readonly Lease[]): Promise<void> {
    if (!this.#isStopping) return;
    const { database, group, logger } = this.#context;
    await endLeases(database, group, leases).catch((error: unknown) =>
      logger.debug({ err: error, group }, 'leases of parked keys run out by themselves'),
    );
  }

  async #rest(): Promise<void> {
    const { database, group } = this.#context;
    const nextMs = this.#retrier.room === 0 ? undefined : await dueInMs(database, group);
    if (!this.#isStopping)
      await this.#pause.wait(Math.max(BREATH_MS, Math.min(nextMs ?? LOOK_EVERY_MS, LOOK_EVERY_MS)));
  }
}
