import type { Metrics } from '@millrace/observability';

/** How a request to place an order can be answered. */
const OUTCOMES = [
  'placed',
  'key-in-flight',
  'key-of-another-request',
  'not-for-sale',
  'too-large',
  'too-busy',
  'failed',
] as const;

/** Counts the requests to place an order; shared by who turns them away and who answers them. */
export function placementsOf(metrics: Metrics): ReturnType<typeof metrics.counter<'outcome'>> {
  const placements = metrics.counter({
    name: 'order_placements_total',
    help: 'Requests to place an order, by how they were answered',
    labels: ['outcome'],
  });
  // A counter that is born with its first event shows Prometheus no increase.
  for (const outcome of OUTCOMES) placements.inc({ outcome }, 0);
  return placements;
}
