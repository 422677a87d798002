import { setTimeout as sleep } from 'node:timers/promises';
import { LagMeter } from '@millrace/messaging/kafka';
import { createLogger } from '@millrace/observability';
import { topicsHeard } from '@millrace/shop';

// Offsets are committed twice a second, so a pause is known no better than that.
const LOOK_EVERY_MS = 200;

/** For how long a group made no progress in a partition although there was something to do. */
interface PartitionPause {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly ms: number;
}

interface Standstill {
  readonly committed: number | undefined;
  readonly sinceMs: number;
}

/** Watches, from the broker's books, how long each group stands still in each partition that has messages for it. */
export class PartitionPauses {
  readonly #meter: LagMeter;
  readonly #standstills = new Map<string, Standstill>();
  #longest: PartitionPause | undefined;
  #isOver = false;
  readonly #watching: Promise<void>;

  constructor(brokers: readonly string[]) {
    const logger = createLogger({ service: 'test', level: 'silent' });
    const groups = Object.entries(topicsHeard).map(([name, topics]) => ({ name, topics }));
    this.#meter = new LagMeter({ brokers, logger, groups });
    this.#watching = this.#watch();
  }

  /** Counts anew; the answered function tells, in words, of the longest pause since. */
  next(): () => string {
    this.#longest = undefined;
    return () => {
      if (this.#longest === undefined) return 'no partition stood still';
      const { group, topic, partition, ms } = this.#longest;
      return `the longest pause was ${(ms / 1000).toFixed(1)} s (${group} in ${topic}/${partition})`;
    };
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
    await this.#meter.close();
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      // A measurement fails while the coordinator of a group moves; the next one tells.
      const report = await this.#meter.measure().catch(() => undefined);
      const now = performance.now();
      for (const lag of report?.lags ?? []) {
        const { group, topic, partition, committed, messages } = lag;
        const place = `${group} ${topic}/${partition}`;
        const before = this.#standstills.get(place);
        if (messages === 0) this.#standstills.delete(place);
        else if (before?.committed !== committed || before === undefined) {
          this.#standstills.set(place, { committed, sinceMs: now });
        } else if (now - before.sinceMs > (this.#longest?.ms ?? 0)) {
          this.#longest = { group, topic, partition, ms: Math.round(now - before.sinceMs) };
        }
      }
      await sleep(LOOK_EVERY_MS);
    }
  }
}
