import type { ServiceName } from '@millrace/shop';
import { round } from '../measure/percentiles.ts';
import type { BudgetName } from './budgets.ts';
import type { Counted, GuardedRun } from './guarded-run.ts';

/** What was counted, by the budget that it is compared with, and by service, topic or database. */
export type Figures = Readonly<Record<BudgetName, Readonly<Record<string, number>>>>;

export function figuresOf({ alone, backlog, requests, orders, kept }: GuardedRun): Figures {
  const ofAll = (value: number): Record<string, number> => ({ 'all services': round(value) });
  const perOrder = (values: Readonly<Record<string, number>>): Record<string, number> =>
    mapped(values, (value) => round(value / orders));
  return {
    statementsAlone: statementsPerBatch(alone),
    statementsInBacklog: statementsPerBatch(backlog),
    messagesPerBatch: {
      inventory: messagesPerBatch(backlog, 'inventory'),
      payment: messagesPerBatch(backlog, 'payment'),
      shipping: messagesPerBatch(backlog, 'shipping'),
    },
    statementsPerOrder: mapped(backlog.work, ({ statements }) => round(statements / backlog.orders)),
    relayRounds: mapped(
      Object.fromEntries(Object.entries(backlog.work).filter(([, { said }]) => said > 0)),
      ({ relayRounds, said }) => round(relayRounds / said),
    ),
    produceRequests: ofAll((requests['Produce'] ?? 0) / sumOf(backlog.work, ({ relayRounds }) => relayRounds)),
    offsetCommits: ofAll((requests['OffsetCommit'] ?? 0) / sumOf(backlog.batches, ({ batches }) => batches)),
    fetches: ofAll((requests['Fetch'] ?? 0) / backlog.orders),
    messages: perOrder(mapped(kept.topics, ({ messages }) => messages)),
    messageBytes: perOrder(mapped(kept.topics, ({ bytes }) => bytes)),
    logBytes: { 'all topics': Math.round(kept.logBytes / orders) },
    rows: perOrder(kept.rows),
  };
}

function statementsPerBatch({ work, batches }: Counted): Record<string, number> {
  return mapped(batches, (batch, service) => {
    const { settling, localBatches } = work[service] ?? { settling: Number.NaN, localBatches: 0 };
    return round(settling / (batch.batches + localBatches));
  });
}

function messagesPerBatch({ batches }: Counted, service: ServiceName): number {
  return round(batches[service].messages / batches[service].batches);
}

function sumOf<T>(values: Readonly<Record<string, T>>, of: (value: T) => number): number {
  return Object.values(values).reduce((sum, value) => sum + of(value), 0);
}

function mapped<T>(
  values: Readonly<Record<string, T>>,
  to: (value: T, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value, name)]));
}
