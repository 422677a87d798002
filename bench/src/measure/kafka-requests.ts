import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Requests that clients sent to the brokers, by the name of the request. */
export type KafkaRequests = Readonly<Record<string, number>>;

// What Kafka's protocol calls them, as far as a service sends them.
const NAMES: Readonly<Record<string, string>> = {
  0: 'Produce',
  1: 'Fetch',
  2: 'ListOffsets',
  3: 'Metadata',
  8: 'OffsetCommit',
  9: 'OffsetFetch',
  10: 'FindCoordinator',
  11: 'JoinGroup',
  12: 'Heartbeat',
  14: 'SyncGroup',
  18: 'ApiVersions',
  22: 'InitProducerId',
};

/** Counts the requests of processes that are started with its environment. */
export class KafkaRequestCounter {
  readonly #folder: string;

  constructor(dir: string) {
    this.#folder = join(dir, 'kafka-requests');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** For a Node process that finds its brokers in `KAFKA_BROKERS`. */
  get environment(): Readonly<Record<string, string>> {
    const preload = pathToFileURL(join(import.meta.dirname, 'count-kafka-requests.ts')).href;
    return { NODE_OPTIONS: `--import=${preload}`, KAFKA_REQUESTS_FOLDER: this.#folder };
  }

  /** All that was sent until half a second ago. */
  counted(): KafkaRequests {
    const sums: Record<string, number> = {};
    for (const file of readdirSync(this.#folder).filter((name) => name.endsWith('.json'))) {
      const counts = JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as Record<string, number>;
      for (const [key, count] of Object.entries(counts)) {
        const name = NAMES[key] ?? 'other';
        sums[name] = (sums[name] ?? 0) + count;
      }
    }
    return sums;
  }
}
