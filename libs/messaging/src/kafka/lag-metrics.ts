import type { Metrics } from '@millrace/observability';
import type { LagMeter } from './lag-meter.ts';

/**
 * Shows what `meter` measures at each scrape; nothing while the brokers cannot be asked. Measuring takes some tenths of a second
 * where much is behind: give `metrics` a `lookWithinMs` of a few seconds.
 */
export function showLag(metrics: Metrics, meter: LagMeter): void {
  const messages = metrics.gauge({
    name: 'kafka_group_lag_messages',
    help: 'Offsets between what a group has settled and the end of the partition',
    labels: ['group', 'topic', 'partition'],
  });
  const seconds = metrics.gauge({
    name: 'kafka_group_lag_seconds',
    help: 'Age of the oldest record of the partition that a group has not settled; 0 when there is none',
    labels: ['group', 'topic', 'partition'],
  });
  const underReplicated = metrics.gauge({
    name: 'kafka_partitions_under_replicated',
    help: 'Partitions that miss a replica',
  });
  const offline = metrics.gauge({
    name: 'kafka_partitions_offline',
    help: 'Partitions without a leader; several of one topic count once',
  });
  const brokers = metrics.gauge({ name: 'kafka_brokers', help: 'Brokers that are in service' });

  metrics.lookUp({
    look: () => meter.measure(),
    show: (report) => {
      messages.reset();
      seconds.reset();
      for (const lag of report.lags) {
        const of = { group: lag.group, topic: lag.topic, partition: String(lag.partition) };
        messages.set(of, lag.messages);
        seconds.set(of, lag.seconds);
      }
      underReplicated.set(report.underReplicated);
      offline.set(report.offline);
      brokers.set(report.brokers);
    },
    hide: () => {
      messages.reset();
      seconds.reset();
      for (const gauge of [underReplicated, offline, brokers]) gauge.remove();
    },
  });
}
