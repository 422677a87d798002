import type { AnyMessage } from '@millrace/contracts';
import { together, type Transaction } from '@millrace/database';
import { Unavailable } from '../handlers/failures.ts';
import type { RetryPolicy } from '../handlers/retry-policy.ts';
import { claimFresh } from '../inbox/inbox.ts';
import { type OutboxRecord, type Stored, storeRecords } from '../outbox/outbox.ts';
import { fateOf } from '../parking/fate.ts';
import { isTooNew, Queues } from '../parking/queues.ts';
import { deadLetterOf, type Failure, failureOf } from './dead-letter.ts';
import { storePositions } from './projection-position.ts';
import type { Received } from './received.ts';

/** One message that is to be applied. */
export interface Fresh {
  readonly message: AnyMessage;
  readonly received: Received;
}

/**
 * What one transaction has to do for the fresh messages of a batch: answers what was said, which failed, and which wait because one
 * of their key failed before them. `parks` tells whether a message that failed so keeps its key waiting.
 */
export type ApplyFresh = (
  tx: Transaction,
  fresh: readonly Fresh[],
  facts: { readonly now: Date; readonly parks: (fresh: Fresh, error: unknown) => boolean },
) => Promise<Applied>;

export interface Applied {
  readonly records: readonly OutboxRecord[];
  readonly failures: ReadonlyMap<AnyMessage, unknown>;
  readonly behind: ReadonlySet<AnyMessage>;
  /** Writes what changed. Called once, when nothing but writing is left. */
  readonly save: () => Promise<void>;
}

/** Nothing was said, nothing failed, and nothing is left to be written. */
export const NOTHING_LEFT: Applied = {
  records: [],
  failures: new Map(),
  behind: new Set(),
  save: () => Promise.resolve(),
};

/** What is known of a batch before its transaction. */
export interface Known {
  /** Calls that were given up, and messages that broke a transaction: the error of each. */
  readonly failed?: ReadonlyMap<Received, unknown>;
  /** Messages for which nobody was called, because their key was parked. */
  readonly uncalled?: ReadonlySet<Received>;
}

/** How the work on a record ended. */
export type End =
  | { readonly kind: 'applied' | 'duplicate' | 'not-heard' | 'queued' }
  /** A parked message whose turn it is not: as if it had not been touched. */
  | { readonly kind: 'left' }
  | { readonly kind: 'dead-lettered'; readonly failure: Failure; readonly attempts: number }
  | {
      readonly kind: 'parked';
      readonly failure: Failure;
      /** Whether it was an outage that only this message met. */
      readonly isUnavailable: boolean;
      readonly attempts: number;
      readonly delayMs: number;
      readonly isHeld: boolean;
    };

export interface SettledBatch {
  readonly ends: ReadonlyMap<Received, End>;
  /** What the outbox has to send. */
  readonly stored: Stored;
  /** In how many milliseconds the first of the batch's parked keys is due; undefined when none is. */
  readonly dueInMs: number | undefined;
}

/**
 * Settles a batch in the given transaction. Locks in the order in which everybody does: inbox, parked keys, states.
 * @throws {Unavailable} what a decision needs is away.
 */
export async function settleBatch(
  tx: Transaction,
  {
    group,
    policy,
    keepsPositions,
  }: {
    readonly group: string;
    readonly policy: RetryPolicy;
    /** The group goes on by positions of its own, beyond all that is settled here, whatever became of it. */
    readonly keepsPositions: boolean;
  },
  batch: readonly Received[],
  apply: ApplyFresh,
  { failed = new Map(), uncalled = new Set() }: Known,
): Promise<SettledBatch> {
  const now = new Date();
  const ids = batch.flatMap(({ id, parked }) => (id === undefined || parked ? [] : [id]));
  const [unseen, queues] = await together([
    ids.length === 0 ? new Set<string>() : claimFresh(tx, group, ids),
    Queues.lock(tx, group, batch),
  ]);
  const letters: OutboxRecord[] = [];
  const ends = new Map<Received, End>();

  const end = (received: Received, how: End): void => {
    ends.set(received, how);
    if (how.kind === 'queued') queues.queue(received);
    else if (how.kind === 'applied' || how.kind === 'not-heard' || how.kind === 'dead-lettered') queues.done(received);
  };
  const bury = (received: Received, failure: Failure, attempts: number): void => {
    const { firstFailedAt = now } = queues.pastOf(received);
    const { span, parked } = received;
    const past = { redrives: parked?.redrives ?? 0, redriveOf: parked?.redriveOf };
    letters.push(
      deadLetterOf(received.incoming, group, { failure, attempts, firstFailedAt, lastFailedAt: now, span, ...past }),
    );
    end(received, { kind: 'dead-lettered', failure, attempts });
  };
  const fail = (received: Received, error: unknown): void => {
    const fate = fateOf(error, queues.pastOf(received).attempts, policy);
    const failure = failureOf(error);
    if (fate.kind === 'dead-letter') return bury(received, failure, fate.attempts);
    queues.park(received, fate, failure, now);
    end(received, { ...fate, kind: 'parked', failure, isUnavailable: error instanceof Unavailable });
  };

  const fresh: Fresh[] = [];
  for (const received of batch) {
    const { decoded, id, parked } = received;
    if (parked !== undefined) {
      const turn = queues.turnOf(parked);
      if (turn !== 'now') {
        end(received, { kind: turn === 'gone' ? 'duplicate' : 'left' });
        continue;
      }
    } else if (id !== undefined && !unseen.delete(id)) {
      // The same id may stand twice in one batch: only the first is fresh.
      end(received, { kind: 'duplicate' });
      continue;
    }
    if (decoded.kind === 'not-heard') end(received, { kind: 'not-heard' });
    else if (decoded.kind === 'malformed' && !isTooNew(decoded)) {
      bury(received, { reason: decoded.reason, error: decoded.detail }, queues.pastOf(received).attempts + 1);
    } else if (uncalled.has(received) || (parked === undefined && queues.isClosed(received))) {
      end(received, { kind: 'queued' });
    } else if (decoded.kind === 'malformed') {
      // This replica is too old for it, which is no fault of the message: it waits, with its key, for a newer one.
      fail(received, new Unavailable(decoded.detail));
    } else if (failed.has(received)) fail(received, failed.get(received));
    else fresh.push({ message: decoded.message, received });
  }

  const applied: Applied =
    fresh.length === 0
      ? NOTHING_LEFT
      : await apply(tx, fresh, {
          now,
          parks: ({ received }, error) => fateOf(error, queues.pastOf(received).attempts, policy).kind === 'park',
        });
  for (const { message, received } of fresh) {
    if (applied.behind.has(message)) end(received, { kind: received.parked ? 'left' : 'queued' });
    else if (!applied.failures.has(message)) end(received, { kind: 'applied' });
    else {
      const error = applied.failures.get(message);
      // Nothing of the batch is wrong: all of it waits.
      if (error instanceof Unavailable) throw error;
      fail(received, error);
    }
  }
  const [, stored] = await together([applied.save(), storeRecords(tx, [...applied.records, ...letters])]);
  const dueInMs = await queues.store();
  // A parked message was read long ago.
  const arriving = keepsPositions ? batch.filter(({ parked }) => parked === undefined) : [];
  if (arriving.length > 0) {
    await storePositions(
      tx,
      group,
      arriving.map(({ incoming }) => incoming),
    );
  }
  return { ends, dueInMs, stored };
}
