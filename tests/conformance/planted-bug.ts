import type { PromiseName } from './promises.ts';

/** A mechanism that is taken away in a copy of libs/messaging, to see that the suite notices. */
export interface PlantedBug {
  /** What is wrong, as a fact. */
  readonly name: string;
  /** The scenario that must go red, by promise and title. */
  readonly promise: PromiseName;
  readonly scenario: string;
  /** Below libs/messaging/src. */
  readonly file: string;
  /** Must stand exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What the red scenario says: red for another reason is not caught. */
  readonly shows: RegExp;
}
