import type { Logger } from '@millrace/observability';
import { failpoint } from '../failpoints.ts';
import type { Consumer } from '../kafka/client.ts';
import type { OffsetTracker } from './offset-tracker.ts';

// The inbox absorbs what is delivered again, so offsets need not be exact: one request for all partitions this often.
const COMMIT_EVERY_MS = 500;

/** Commits what a member has settled: soon, in one request for all partitions, one request at a time. */
export class OffsetCommits {
  readonly #group: string;
  readonly #topicPrefix: string;
  readonly #tracker: OffsetTracker;
  readonly #consumer: () => Consumer | undefined;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();

  constructor(options: {
    readonly group: string;
    readonly topicPrefix: string;
    readonly tracker: OffsetTracker;
    /** The client of the moment; undefined while there is none. */
    readonly consumer: () => Consumer | undefined;
    readonly logger: Logger;
  }) {
    this.#group = options.group;
    this.#topicPrefix = options.topicPrefix;
    this.#tracker = options.tracker;
    this.#consumer = options.consumer;
    this.#logger = options.logger;
  }

  /** Commits in a moment, together with what else is settled until then. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.now();
    }, COMMIT_EVERY_MS);
  }

  /** Nothing is committed in a moment any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Never rejects: a commit that fails is made up for by the next one, or by the inbox. */
  now(): Promise<void> {
    this.#committing = this.#committing.then(async () => {
      const offsets = this.#tracker.committable();
      const consumer = this.#consumer();
      if (offsets.length === 0 || !consumer) return;
      failpoint('before-offset-commit', this.#group);
      try {
        await consumer.commitOffsets(
          offsets.map(({ topic, partition, offset }) => ({ topic: this.#topicPrefix + topic, partition, offset })),
        );
        this.#tracker.committed(offsets);
      } catch (error) {
        this.#logger.debug({ group: this.#group, err: error }, 'offsets not committed');
      }
    });
    return this.#committing;
  }
}
