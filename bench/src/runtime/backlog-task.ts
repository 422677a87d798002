/** What the consumer process is told. */
export interface BacklogTask {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly url: string;
  readonly messages: number;
}

/** What the consumer process tells each second; of memory the most so far, in bytes. */
export interface Progress {
  readonly settled: number;
  readonly perSecond: number;
  readonly openRecords: number;
  readonly openBytes: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  readonly rss: number;
  /** Before it fetched anything: Node, the code, and the compiler that this bench runs it with. */
  readonly rssAtStart: number;
}

export const GROUP = 'bench.backlog';

export const BACKLOG_TABLE = 'CREATE TABLE backlog (order_id uuid PRIMARY KEY, count int NOT NULL)';
