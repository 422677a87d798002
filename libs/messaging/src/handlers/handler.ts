import type { AnyContract, MessageOf } from '@millrace/contracts';
import type { Transaction } from '@millrace/database';
import type { Decision, DecisionContext } from './decision.ts';
import type { Decidable } from './local-message.ts';
import { type RetryPolicy, retryPolicy } from './retry-policy.ts';
import type { StateStore } from './state-store.ts';

/** State in, message in; next state and what is said out. Pure: time and ids come with the context. */
export interface Decider<State, Message extends Decidable> {
  readonly store: StateStore<State, Message>;
  decide(state: State, message: Message, context: DecisionContext): Decision<State>;
}

/** Hears messages and decides, a batch in one transaction. */
export interface DecideHandler<State, Message extends Decidable> extends Decider<State, Message> {
  readonly kind: 'decide';
  readonly hears: readonly AnyContract[];
  readonly retry: RetryPolicy;
}

/** What a call to the outside world may use. */
export interface Call {
  /** The same for every repetition of the call: a provider that honours it acts once. */
  readonly idempotencyKey: string;
  /** 1 for the first try; up to `retry.attempts`. */
  readonly attempt: number;
  /** Aborted when the call takes too long or the service stops. */
  readonly signal: AbortSignal;
}

/** Calls the outside world before the transaction, then decides about the outcome. */
export interface PerformHandler<State, Message extends Decidable, Outcome> {
  readonly kind: 'perform';
  readonly hears: readonly AnyContract[];
  readonly store: StateStore<State, Message>;
  /**
   * Runs outside any transaction, in order per key, with a state read without lock. May run again with the same
   * `idempotencyKey` after a crash. Throw `Unavailable` when the other side is away, `PermanentFailure` when trying again
   * cannot help; after anything else the message is parked and tried again as `retry` says.
   */
  perform(state: State, message: Message, call: Call): Promise<Outcome>;
  /** What `perform` will call, for the trace, such as `carrier book`; undefined when it will call nobody. */
  callName(state: State, message: Message): string | undefined;
  /** As in `decides`, with the locked state and what the call brought. */
  decide(state: State, message: Message, outcome: Outcome, context: DecisionContext): Decision<State>;
  /** Calls under way at once. */
  readonly concurrency: number;
  /** One call may take this long. */
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
}

/** Folds messages into a read model; its positions are stored with it, so it can be rebuilt from the first message. */
export interface ProjectHandler<Message extends Decidable> {
  readonly kind: 'project';
  readonly hears: readonly AnyContract[];
  readonly retry: RetryPolicy;
  /**
   * How long the first message of a batch waits for company, in milliseconds. A read model may be a moment late; one
   * transaction for many messages costs a fraction of many.
   */
  readonly lingerMs: number;
  /**
   * The tables of the read model, all that `project` writes and named without a schema, so that it can be rebuilt in others of
   * the same names. None: it cannot be rebuilt while it serves.
   */
  readonly tables: readonly string[];
  /**
   * Of a compacted topic only the newest record per key is left after a while. `newest-per-key`: nothing more is needed to
   * rebuild the read model; `every-message`: what is gone is missing in it.
   */
  readonly needs: 'every-message' | 'newest-per-key';
  /** In order per key, each message once, all in the transaction that stores the position. */
  project(tx: Transaction, messages: readonly Message[]): Promise<void>;
}

/** Finds what became due (a deadline, an expiry) and decides about it: found and changed in one transaction. */
export interface DueHandler<State, Message extends Decidable> extends Decider<State, Message> {
  readonly kind: 'due';
  /** Pause between two looks when nothing was due. */
  readonly everyMs: number;
  /** At most `limit` messages; rows locked with SKIP LOCKED, so that replicas share the work. */
  due(tx: Transaction, now: Date, limit: number): Promise<readonly Message[]>;
}

/** Any handler, as the runtime takes it. */
export type Handler =
  // oxlint-disable-next-line typescript/no-explicit-any
  DecideHandler<any, any> | PerformHandler<any, any, any> | ProjectHandler<any> | DueHandler<any, any>;

/** A handler that decides: `Local` names local messages that the same function decides about. */
export function decides<C extends AnyContract, State, Local extends Decidable = never>(
  handler: Omit<DecideHandler<State, MessageOf<C> | Local>, 'kind' | 'hears' | 'retry'> & {
    readonly hears: readonly C[];
    readonly retry?: Partial<RetryPolicy>;
  },
): DecideHandler<State, MessageOf<C> | Local> {
  return { kind: 'decide', ...handler, retry: retryPolicy(handler.retry) };
}

// A provider's slow second is normal; ten mean that nobody is there.
const CALL_TIMEOUT_MS = 10_000;

// Enough to hide a provider's latency behind others, few enough not to look like an attack.
const CALL_CONCURRENCY = 64;

/** A handler that calls the outside world. */
export function performs<C extends AnyContract, State, Outcome>(
  handler: Pick<PerformHandler<State, MessageOf<C>, Outcome>, 'store' | 'perform' | 'decide'> & {
    readonly hears: readonly C[];
    readonly callName?: (state: State, message: MessageOf<C>) => string | undefined;
    readonly concurrency?: number;
    readonly timeoutMs?: number;
    readonly retry?: Partial<RetryPolicy>;
  },
): PerformHandler<State, MessageOf<C>, Outcome> {
  return {
    kind: 'perform',
    concurrency: CALL_CONCURRENCY,
    timeoutMs: CALL_TIMEOUT_MS,
    callName: () => 'call',
    ...handler,
    retry: retryPolicy(handler.retry),
  };
}

// Nobody waits for a read model: less than a person notices, long enough for a busy second to fit twenty transactions.
const PROJECTION_LINGER_MS = 50;

/** A handler that keeps a read model. */
export function projects<C extends AnyContract>(handler: {
  readonly hears: readonly C[];
  readonly lingerMs?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly tables?: readonly string[];
  readonly needs?: 'every-message' | 'newest-per-key';
  project(tx: Transaction, messages: readonly MessageOf<C>[]): Promise<void>;
}): ProjectHandler<MessageOf<C>> {
  return {
    kind: 'project',
    lingerMs: PROJECTION_LINGER_MS,
    tables: [],
    needs: 'every-message',
    ...handler,
    retry: retryPolicy(handler.retry),
  };
}

/** A handler of what becomes due. */
export function dues<State, Message extends Decidable>(
  handler: Omit<DueHandler<State, Message>, 'kind'>,
): DueHandler<State, Message> {
  return { kind: 'due', ...handler };
}
