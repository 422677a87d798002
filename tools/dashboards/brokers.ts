import { lines, row, type Panel } from './panels.ts';

/** What the brokers say about themselves, through the JMX exporter agent in each. */
export const brokers: readonly Panel[] = [
  row('Brokers'),
  lines('Partition health', {
    tells: 'Partitions with a copy missing or without a leader, and failed log directories, as the brokers say.',
    whenWrong: 'docs/runbooks/partitions-under-replicated.md and docs/runbooks/partitions-offline.md.',
    unit: 'short',
    queries: [
      { expr: 'sum(kafka_server_under_replicated_partitions)', legend: 'under-replicated' },
      { expr: 'max(kafka_controller_offline_partitions)', legend: 'offline' },
      { expr: 'sum(kafka_server_offline_log_directories)', legend: 'failed log directories' },
    ],
  }),
  lines('Active controllers', {
    tells: 'How many brokers say that they are the controller.',
    whenWrong: 'It must be one, but for moments: docs/runbooks/controller-missing.md.',
    unit: 'short',
    queries: [{ expr: 'sum(kafka_controller_active_controllers)', legend: 'controllers' }],
  }),
  lines('Request time', {
    tells:
      'How long brokers take to answer a write (Produce) and a read (FetchConsumer, which waits for new messages on purpose).',
    whenWrong: 'Produce above 100 ms: a slow disk or a follower that lags; see Partition health and Idle handlers.',
    unit: 's',
    queries: [
      { expr: 'max by (request, quantile) (kafka_request_seconds)', legend: '{{request}} quantile {{quantile}}' },
    ],
  }),
  lines('Request queue', {
    tells: 'Requests that wait for a handler, by broker.',
    whenWrong: 'More than a few for longer than moments: the broker is overloaded, see Idle handlers.',
    unit: 'short',
    queries: [{ expr: 'kafka_request_queue_size', legend: '{{instance}}' }],
  }),
  lines('Idle handlers', {
    tells: 'Share of time in which the request handlers of a broker had nothing to do.',
    whenWrong: 'Below 0.3 the broker is at its limit: give it more processor or add brokers (profile cluster).',
    unit: 'percentunit',
    max: 1,
    queries: [{ expr: 'kafka_server_request_handler_idle_ratio', legend: '{{instance}}' }],
  }),
  lines('Memory of the brokers', {
    tells: 'Memory that the Java virtual machine of each broker uses, by area.',
    whenWrong: 'Heap that stays near its limit: raise the heap and mem_limit of the broker together.',
    unit: 'bytes',
    queries: [{ expr: 'sum by (instance, area) (jvm_memory_used_bytes)', legend: '{{instance}} {{area}}' }],
  }),
  lines('Bytes into topics', {
    tells: 'Bytes that producers write per second, by topic.',
    whenWrong:
      'It grows faster than the number of messages: messages became larger, look at the last change of a contract.',
    unit: 'Bps',
    queries: [
      {
        expr: 'sum by (topic) (rate(kafka_topic_bytes_in_total{topic!~"__.*"}[$__rate_interval]))',
        legend: '{{topic}}',
      },
    ],
  }),
  lines('Bytes out of topics', {
    tells: 'Bytes that consumers read per second, by topic.',
    whenWrong: 'Far more than what is written times the number of groups: somebody reads a topic again from its start.',
    unit: 'Bps',
    queries: [
      {
        expr: 'sum by (topic) (rate(kafka_topic_bytes_out_total{topic!~"__.*"}[$__rate_interval]))',
        legend: '{{topic}}',
      },
    ],
  }),
];
