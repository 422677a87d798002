import { type Database, isTransactionConflict } from '@millrace/database';
import type { Logger } from '@millrace/observability';
import type { ProjectHandler } from '../handlers/handler.ts';
import type { Kafka } from '../kafka/client.ts';
import { backoffMs, Pause } from '../runtime/pause.ts';
import type { Offsets } from './backlog.ts';
import { type Comparison, compareTables } from './comparison.ts';
import { type Claimed, Lease, type Progress } from './lease.ts';
import { completeness } from './losses.ts';
import { Pace } from './pace.ts';
import { endReplay } from './replay-requests.ts';
import { CannotReplay, LeaseLost, type ReplayContext } from './shadow-batch.ts';
import { ShadowFollower } from './shadow-follower.ts';
import { dropShadow, type LiveTable, liveTables, shadowOf, UnfitTables } from './shadow-schema.ts';
import { inStandstill, livePositions, NotYet } from './standstill.ts';
import { swapShadow, SwapRefused } from './swap.ts';

// So near to the live projection, the rest is a matter of milliseconds, for which it may be held up.
const NEAR = 2000;
const REACH_WITHIN_MS = 2000;

// How late the shadow follows, and how often it is looked whether something arrived.
const FOLLOW_EVERY_MS = 100;

// With nothing left to do and nobody who asks for anything, a shadow that goes on following costs for nothing.
const REST_AFTER_MS = 60_000;

// Records that exist arrive within a moment: what does not come for this long is looked for.
const MISSED_AFTER_MS = 20_000;

const MAX_BACKOFF_MS = 5000;

// Comparing, transferring statements and locks, the lease.
const SESSIONS = 4;

// A comparison of large tables is one statement.
const STATEMENT_TIMEOUT_MS = 15 * 60 * 1000;

export interface ReplayRunOptions {
  readonly service: string;
  readonly database: Database;
  readonly kafka: Kafka;
  readonly topicPrefix: string;
  readonly logger: Logger;
  readonly holder: string;
  readonly claimed: Claimed;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly handler: ProjectHandler<any>;
}

/**
 * One replica's work on a replay, from where the shadow stands: reads the log with positions of its own, never past those of the live
 * projection, and does what people wish. Ends when the replay does, when it is to rest, when the service stops, or when
 * another replica has taken it over.
 */
export class ReplayRun {
  readonly #options: ReplayRunOptions;
  readonly #context: ReplayContext;
  readonly #database: Database;
  readonly #lease: Lease;
  readonly #pause = new Pause();
  readonly #pace = new Pace();
  #follower: ShadowFollower | undefined;
  #progress: Progress = { state: 'asked', passed: 0, total: 0, perSecond: 0, problem: undefined };
  /** Why the last wish was not granted. */
  #refusal: string | undefined;
  #isStopping = false;

  constructor(options: ReplayRunOptions) {
    this.#options = options;
    const { claimed, holder, handler } = options;
    const { projection, replayId } = claimed;
    this.#context = { projection, replayId, holder, handler, shadow: shadowOf(projection) };
    this.#database = options.database.alongside({
      applicationName: `${options.service}-replay`,
      poolSize: SESSIONS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    });
    this.#lease = new Lease({
      database: this.#database,
      claimed,
      holder,
      progress: () => ({
        ...this.#progress,
        problem: this.#progress.problem ?? this.#follower?.problem ?? this.#refusal,
      }),
      onNews: () => this.#heard(),
    });
  }

  /** Finishes the batch under way and lets go, so that another replica goes on. */
  stop(): void {
    this.#isStopping = true;
    this.#heard();
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { projection } = this.#context;
    const { logger } = this.#options;
    try {
      await this.#lease.start();
      logger.info({ projection }, 'replaying');
      for (let attempt = 0; !this.#isStopping; attempt++) {
        try {
          await this.#work(() => (attempt = 0));
          break;
        } catch (error) {
          if (error instanceof LeaseLost) return;
          if (error instanceof CannotReplay || error instanceof UnfitTables) {
            await this.#fail(error);
            return;
          }
          const problem = error instanceof Error ? error.message : String(error);
          if (problem !== this.#progress.problem) logger.warn({ err: error, projection }, 'the replay waits');
          this.#progress = { ...this.#progress, problem };
          await this.#pause.wait(backoffMs(attempt, MAX_BACKOFF_MS));
        }
      }
      await this.#lease.release(this.#lease.wish === 'pause' ? 'paused' : undefined);
    } catch (error) {
      // The lease runs out, and the replay goes on from where the shadow stands.
      logger.warn({ err: error, projection }, 'the replay was left');
    } finally {
      await this.#lease.stop();
      await this.#database.close();
    }
  }

  #heard(): void {
    if (this.#lease.wish !== 'read') this.#refusal = undefined;
    this.#pause.wake();
    this.#follower?.wake();
  }

  #told(problem: string | undefined): void {
    this.#progress = { ...this.#progress, problem };
  }

  /** Until the replay ends or rests. */
  async #work(onProgress: () => void): Promise<void> {
    const tables = await liveTables(this.#database, this.#context.handler.tables);
    const { kafka, topicPrefix, logger, claimed } = this.#options;
    const follower = await ShadowFollower.open({
      database: this.#database,
      kafka,
      topicPrefix,
      logger,
      context: this.#context,
      from: claimed.from,
      tables,
    });
    this.#follower = follower;
    try {
      await this.#tellCompleteness();
      let [movedAt, restingSince] = [Date.now(), Date.now()];
      for (;;) {
        if (this.#lease.isLost) throw new LeaseLost(`the replay of ${this.#context.projection} was taken over`);
        const { wish } = this.#lease;
        if (this.#isStopping || wish === 'pause') return;
        if (wish === 'cancel') return await this.#cancel();
        const live = await livePositions(this.#database, this.#context.projection);
        const hasMoved = await follower.applyNext(live);
        const behind = this.#note(follower, live);
        if (hasMoved) {
          onProgress();
          this.#told(undefined);
        }
        if (hasMoved || behind === 0) movedAt = Date.now();
        if (behind > NEAR || wish !== 'read') restingSince = Date.now();
        if (behind <= NEAR && wish === 'compare') await this.#compare(follower, tables);
        else if (behind <= NEAR && wish === 'swap') {
          if (await this.#swap(follower, tables)) return;
        } else if (Date.now() - restingSince > REST_AFTER_MS) await this.#lease.fulfilled('read', 'pause');
        if (Date.now() - movedAt > MISSED_AFTER_MS) {
          movedAt = Date.now();
          await follower.lookAfterLog();
        }
        if (!hasMoved) await follower.more(FOLLOW_EVERY_MS);
      }
    } finally {
      this.#follower = undefined;
      await follower.close();
    }
  }

  /** Answers how many offsets lie between the shadow and the live projection. */
  #note(follower: ShadowFollower, live: Offsets): number {
    const { passed, behind } = follower.distance(live);
    this.#pace.note(Number(passed), performance.now());
    this.#progress = {
      ...this.#progress,
      state: behind <= NEAR ? 'caught-up' : 'reading',
      passed: Number(passed),
      total: Number(passed + behind),
      perSecond: this.#pace.perSecond,
    };
    return Number(behind);
  }

  /** Brings the shadow to where the live projection stands still; false when that takes too long. */
  #reaching(follower: ShadowFollower): (live: Offsets) => Promise<boolean> {
    return async (live) => {
      const deadline = Date.now() + REACH_WITHIN_MS;
      for (;;) {
        const hasMoved = await follower.applyNext(live);
        if (this.#note(follower, live) === 0) return true;
        if (Date.now() > deadline) return false;
        if (!hasMoved) await follower.more(FOLLOW_EVERY_MS / 10);
      }
    };
  }

  /** Holds the live projection up for as long as it takes to open one snapshot of both, then compares at leisure. */
  async #compare(follower: ShadowFollower, tables: readonly LiveTable[]): Promise<void> {
    const { projection, shadow } = this.#context;
    let comparing: Promise<Comparison> | undefined;
    const stood = await this.#attempt(() =>
      inStandstill(this.#database, { projection, tables }, this.#reaching(follower), async () => {
        const opened = Promise.withResolvers<void>();
        comparing = this.#database.transaction(async (tx) => {
          await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
          await tx.query('SELECT 1');
          opened.resolve();
          return compareTables(tx, shadow, tables);
        });
        comparing.catch(opened.reject);
        await opened.promise;
      }),
    );
    if (!stood || comparing === undefined) return;
    const comparison = await comparing;
    await this.#tellCompleteness();
    await this.#database.query(
      `UPDATE messaging.replay SET comparison = $2 WHERE projection = $1 AND wish = 'compare' AND ended_at IS NULL`,
      [projection, JSON.stringify(comparison)],
    );
    await this.#lease.fulfilled('compare', 'read');
  }

  async #swap(follower: ShadowFollower, tables: readonly LiveTable[]): Promise<boolean> {
    const { projection } = this.#context;
    try {
      const reach = this.#reaching(follower);
      const { acceptsLoss } = this.#lease;
      const isDone = await this.#attempt(() =>
        swapShadow(this.#database, this.#context, tables, { acceptsLoss, reach }),
      );
      if (isDone) this.#options.logger.info({ projection }, 'the rebuilt read model is the live one');
      return isDone;
    } catch (error) {
      if (!(error instanceof SwapRefused)) throw error;
      this.#refusal = error.message;
      await this.#tellCompleteness();
      await this.#lease.fulfilled('swap', 'read', error.message);
      return false;
    }
  }

  /** False when the live projection or a reader was in the way: to be tried again in a moment. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof NotYet) && !isTransactionConflict(error)) throw error;
      this.#told(error instanceof NotYet ? undefined : 'waits for a moment in which nobody holds the tables');
      await this.#pause.wait(FOLLOW_EVERY_MS);
      return false;
    }
  }

  async #tellCompleteness(): Promise<void> {
    const { losses, notes } = await completeness(this.#database, this.#context);
    await this.#database.query('UPDATE messaging.replay SET losses = $2, notes = $3 WHERE projection = $1', [
      this.#context.projection,
      losses,
      notes,
    ]);
  }

  async #cancel(): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await dropShadow(tx, this.#context.shadow);
      await endReplay(tx, this.#context.projection, 'cancelled');
    });
  }

  async #fail(error: Error): Promise<void> {
    const { projection } = this.#context;
    this.#options.logger.error({ err: error, projection }, 'the replay failed');
    await this.#database.transaction((tx) => endReplay(tx, projection, 'failed', error.message));
  }
}
