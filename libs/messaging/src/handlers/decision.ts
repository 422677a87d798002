import type { Said } from '@millrace/contracts';

/** What a decision may ask for besides its state and its message: the time and new ids come in as arguments. */
export interface DecisionContext {
  readonly now: Date;
  readonly newId: <Id extends string>() => Id;
}

/** The outcome of a decision: the next state and what is said about it, stored together or not at all. */
export interface Decision<State> {
  readonly state: State;
  readonly messages: readonly Said[];
  /** Set when a local message (a person's wish) was refused: the reason, for the one who asked. Nothing changes then. */
  readonly refused?: string;
}

/** No state changes and nothing is said. */
export function unchanged<State>(state: State): Decision<State> {
  return { state, messages: [] };
}
