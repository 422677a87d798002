import type { Queryable, Transaction } from '@millrace/database';
import type { Decidable } from './local-message.ts';

/** Remembers the states that decisions are about, a whole batch at a time. */
export interface StateStore<State, Message extends Decidable> {
  /**
   * Loads what all `messages` need, in one query (or a small fixed number of them). With `lock`, rows are locked until the
   * transaction ends, in key order, so that two batches never wait for each other in a circle.
   */
  load(
    db: Queryable,
    messages: readonly Message[],
    options: { readonly lock: boolean },
  ): Promise<LoadedStates<State, Message>>;
}

/** The states of one batch: read before and written after each decision, saved once at the end. */
export interface LoadedStates<State, Message> {
  of(message: Message): State;
  change(message: Message, next: State): void;
  /** Writes all changes in one statement (or a small fixed number of them). */
  save(tx: Transaction): Promise<void>;
}

/** One state before and after a batch. */
export interface Change<State> {
  readonly key: string;
  /** Absent when the state is new. */
  readonly before: State | undefined;
  readonly after: State;
}

/**
 * A store of one state per key, from two functions: `load` finds the rows of the keys (given sorted, to be locked in that
 * order), `save` writes the changed ones. The state of a key that has no row is `undefined`.
 */
export function keyedStore<State extends object, Message extends Decidable>(options: {
  /** The key of the state a message is about; the message's own key unless said otherwise. */
  readonly keyOf?: (message: Message) => string;
  readonly load: (db: Queryable, keys: readonly string[], lock: boolean) => Promise<ReadonlyMap<string, State>>;
  readonly save: (tx: Transaction, changes: readonly Change<State>[]) => Promise<void>;
}): StateStore<State | undefined, Message> {
  const keyOf = options.keyOf ?? ((message: Message) => message.key);
  return {
    async load(db, messages, { lock }) {
      const keys = [...new Set(messages.map(keyOf))].sort();
      const before = await options.load(db, keys, lock);
      const after = new Map<string, State>();
      return {
        of: (message) => after.get(keyOf(message)) ?? before.get(keyOf(message)),
        change: (message, next) => {
          const key = keyOf(message);
          if (next !== undefined && next !== (after.get(key) ?? before.get(key))) after.set(key, next);
        },
        save: async (tx) => {
          if (after.size === 0) return;
          await options.save(
            tx,
            [...after].map(([key, state]) => ({ key, before: before.get(key), after: state })),
          );
        },
      };
    },
  };
}
