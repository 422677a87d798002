import type { ServiceName, ServiceUrls } from '@millrace/shop';

/** Batches that were settled, and the messages in them. */
export interface Batches {
  readonly batches: number;
  readonly messages: number;
  /** When the process that counts was started. */
  readonly since: number;
}

export type BatchesByService = Readonly<Record<ServiceName, Batches>>;

const SAMPLE = /^messaging_batch_records_(count|sum)\{[^}]*\} (\S+)$/gm;
const SINCE = /^process_start_time_seconds (\S+)$/m;

/** All groups of a service together, as its metrics page tells it. */
export function batchesIn(page: string): Batches {
  const sums = { count: 0, sum: 0 };
  for (const [, kind, value] of page.matchAll(SAMPLE)) sums[kind === 'count' ? 'count' : 'sum'] += Number(value);
  return { batches: sums.count, messages: sums.sum, since: Number(SINCE.exec(page)?.[1] ?? 0) };
}

/** Since each service was started. */
export async function batchesOf(urls: ServiceUrls): Promise<BatchesByService> {
  const found = await Promise.all(
    Object.entries(urls).map(async ([service, url]) => {
      const response = await fetch(`${url}/metrics`);
      return [service, batchesIn(await response.text())] as const;
    }),
  );
  return Object.fromEntries(found) as Record<ServiceName, Batches>;
}

/** A service that was started again in between counts from there on. */
export function batchesBetween(before: BatchesByService, after: BatchesByService): BatchesByService {
  const between = Object.entries(after).map(([service, now]) => {
    const earlier = before[service as ServiceName];
    const { batches, messages } = earlier.since === now.since ? earlier : { batches: 0, messages: 0 };
    return [service, { ...now, batches: now.batches - batches, messages: now.messages - messages }] as const;
  });
  return Object.fromEntries(between) as Record<ServiceName, Batches>;
}
