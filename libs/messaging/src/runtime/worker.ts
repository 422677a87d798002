import type { Tracked } from './offset-tracker.ts';

/** Works off what a consumer group receives. */
export interface Worker {
  /** Takes records, in order per partition. Never rejects: whatever happens is the worker's to settle. */
  accept(records: readonly Tracked[]): void;
  /** A new assignment: what is not begun is dropped, because it is delivered again. What is begun is finished. */
  forget(): void;
  /** Begins nothing more and resolves when what is begun is finished (or left unsettled, when the database is away). */
  stop(): Promise<void>;
  /** Why work waits at present; undefined when it does not. */
  readonly outage: string | undefined;
}

/** What a worker tells its group. */
export interface WorkerEvents {
  /** These records are settled: their offsets may be committed. */
  settled(records: readonly Tracked[]): void;
  /** A bug or a broken environment: the process must not go on as if it were healthy. */
  failed(error: unknown): void;
  /** `outage` changed: the group stops fetching while there is one. */
  outageChanged(): void;
}
