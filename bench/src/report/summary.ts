import type { Results } from '../results.ts';

/** The main figures, for a terminal. */
export function summaryOf(results: Results): string {
  const lines: string[] = [];
  const add = (what: string, figures: string): void => void lines.push(`${what.padEnd(34)} ${figures}`);
  const { saturation, recovery, backlog, replay, counts, scaling, growth } = results;
  if (saturation !== undefined) {
    const { ordersPerSecond, cpuMsPerOrder, timesAsFast, timesLessCpu, runs } = saturation.found;
    add(
      'Orders per second',
      `${ordersPerSecond.millrace}; baseline ${ordersPerSecond.baseline}: ${timesAsFast} times as fast`,
    );
    add(
      'CPU per order (ms)',
      `${cpuMsPerOrder.millrace}; baseline ${cpuMsPerOrder.baseline}: ${timesLessCpu} times less`,
    );
    const idle = runs.find(({ system }) => system === 'millrace')?.idle.percentiles;
    if (idle !== undefined) add('Accepted → confirmed, idle (ms)', `p50 ${idle.p50}, p99 ${idle.p99}, max ${idle.max}`);
  }
  const open = results['open-loop']?.found;
  if (open !== undefined) {
    const { p50, p95, p99, max } = open.acceptedToConfirmed.percentiles;
    add(
      `… at ${open.ordersPerSecond} orders/s (ms)`,
      `p50 ${p50}, p95 ${p95}, p99 ${p99}, max ${max}; ${open.failed} failed`,
    );
  }
  if (recovery !== undefined) {
    const { service, outageSeconds, caughtUpSeconds } = recovery.found;
    add('Recovery', `${service} was away for ${outageSeconds} s, caught up after ${caughtUpSeconds} s`);
  }
  if (backlog !== undefined)
    add('Backlog', `${backlog.found.orders} orders at ${backlog.found.ordersPerSecond} orders/s`);
  if (replay !== undefined) add('Replay', `${replay.found.eventsPerSecond} events/s`);
  if (counts !== undefined) {
    const { millrace, baseline } = counts.found;
    add('SQL statements per order', `${millrace.sqlStatements}; baseline ${baseline.sqlStatements}`);
    add('Kafka requests per order', `${millrace.kafkaRequestsTotal}; baseline ${baseline.kafkaRequestsTotal}`);
    add('Bytes on disk per order', `${millrace.postgresBytes} PostgreSQL, ${millrace.kafkaBytes} Kafka`);
  }
  if (scaling !== undefined) {
    add('Replicas', scaling.found.steps.map((step) => `${step.replicas}: ${step.mailsPerSecond} mails/s`).join(', '));
  }
  if (growth !== undefined) {
    add('Growth', growth.found.steps.map((step) => `${step.orders}: ${step.cpuMsPerOrderTotal} ms`).join(', '));
  }
  add('Books', 'add up after every run');
  return lines.join('\n');
}
