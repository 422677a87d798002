import { brokers } from './brokers.ts';
import type { Dashboard } from './dashboard.ts';
import { count, figure, lines, percentiles, row, table } from './panels.ts';

export const eventFlow: Dashboard = {
  uid: 'millrace-event-flow',
  title: 'Event flow',
  description: 'Messages on their way: topics, consumer groups, outboxes, brokers',
  panels: [
    row('At a glance'),
    figure('Furthest behind', {
      tells: 'How many seconds the slowest consumer group is behind the newest message.',
      whenWrong: 'Above 30 s and growing: docs/runbooks/lag-growing.md. Lag in seconds below names the group.',
      unit: 's',
      steps: [
        { from: 10, color: 'orange' },
        { from: 30, color: 'red' },
      ],
      queries: [{ expr: 'max(group:kafka_group_lag_seconds:max)', legend: 'lag' }],
    }),
    figure('Oldest in an outbox', {
      tells: 'How long the oldest message of any service has waited to be sent.',
      whenWrong: 'Above 30 s: docs/runbooks/outbox-stuck.md. Below a second is usual.',
      unit: 's',
      steps: [
        { from: 5, color: 'orange' },
        { from: 30, color: 'red' },
      ],
      queries: [{ expr: 'max(service:messaging_outbox_oldest_seconds:max)', legend: 'waiting' }],
    }),
    count('Dead letters', {
      tells: 'Messages that were given up in the chosen time.',
      whenWrong: 'Each is an order or a figure that somebody must look after: docs/runbooks/dead-letters-growing.md.',
      steps: [{ from: 1, color: 'red' }],
      queries: [
        {
          expr: 'sum(increase(messaging_settled_total{outcome="dead-lettered"}[$__range])) or vector(0)',
          legend: 'given up',
        },
      ],
    }),
    count('Under-replicated', {
      tells: 'Partitions that have fewer copies than they should.',
      whenWrong: 'A broker is away or slow: docs/runbooks/partitions-under-replicated.md.',
      steps: [{ from: 1, color: 'orange' }],
      queries: [{ expr: 'max(kafka_partitions_under_replicated)', legend: 'partitions' }],
    }),
    count('Offline', {
      tells: 'Partitions that nobody can read or write, because they have no leader.',
      whenWrong: 'Orders stop here: docs/runbooks/partitions-offline.md.',
      steps: [{ from: 1, color: 'red' }],
      queries: [{ expr: 'max(kafka_partitions_offline)', legend: 'partitions' }],
    }),
    count('Brokers', {
      tells: 'Brokers in service: one, or three with the profile cluster.',
      whenWrong: 'Fewer than you started: docker compose ps, then the log of the missing one.',
      queries: [{ expr: 'max(kafka_brokers)', legend: 'brokers' }],
    }),

    row('Throughput'),
    lines('Messages into topics', {
      tells: 'Records that the brokers append per second, by topic.',
      whenWrong:
        'One topic falls to zero while the others go on: its speaker is stuck, see Oldest message in the outbox.',
      unit: 'cps',
      queries: [
        {
          expr: 'sum by (topic) (rate(kafka_topic_messages_in_total{topic!~"__.*"}[$__rate_interval]))',
          legend: '{{topic}}',
        },
      ],
    }),
    lines('Messages received by groups', {
      tells: 'Records that each consumer group receives per second, repeated ones included.',
      whenWrong:
        'Zero for one group while its topics fill: it is paused, rebalancing or down, see Lag in seconds and Rebalances.',
      unit: 'cps',
      queries: [{ expr: 'sum by (group) (rate(messaging_consumed_total[$__rate_interval]))', legend: '{{group}}' }],
    }),
    lines('Messages settled by groups', {
      tells: 'Records per second that groups are done with, by group.',
      whenWrong: 'Below what is received for minutes: work piles up in the process, see Open messages.',
      unit: 'cps',
      queries: [{ expr: 'sum by (group) (rate(messaging_settled_total[$__rate_interval]))', legend: '{{group}}' }],
    }),

    row('Lag'),
    lines('Lag in seconds', {
      tells: 'How long ago the oldest message that a group has not settled was written.',
      whenWrong: 'A line that climbs one second per second is a group at a standstill: docs/runbooks/lag-growing.md.',
      unit: 's',
      steps: [{ from: 30, color: 'red' }],
      queries: [{ expr: 'group:kafka_group_lag_seconds:max', legend: '{{group}}' }],
    }),
    lines('Lag in messages', {
      tells: 'How many messages each group has before it.',
      whenWrong:
        'Large but with few seconds of lag is a burst and passes; large and growing needs more replicas of the service.',
      unit: 'short',
      queries: [{ expr: 'sum by (group) (kafka_group_lag_messages)', legend: '{{group}}' }],
    }),
    lines('Coming in and settled', {
      tells: 'Messages per second that come into the topics of each group, and that it settles.',
      whenWrong: 'Settled below coming in for minutes: the group falls back, add replicas of its service.',
      unit: 'cps',
      queries: [
        { expr: 'group:kafka_group_produced:rate1m', legend: '{{group}} in' },
        { expr: 'group:messaging_settled:rate1m', legend: '{{group}} settled' },
      ],
    }),
    lines('Catch-up rate', {
      tells: 'By how many messages a second each group comes nearer to the end of its topics; below 0 it falls back.',
      whenWrong: 'Below 0 for minutes: docs/runbooks/lag-growing.md.',
      unit: 'cps',
      queries: [{ expr: 'group:kafka_group_catch_up:rate1m', legend: '{{group}}' }],
    }),
    lines('Time to catch up', {
      tells: 'How long each group needs at the speed of the last minute until nothing is before it.',
      whenWrong:
        'No line for a group with lag: it comes no nearer, see Paused partitions and docs/runbooks/lag-growing.md.',
      unit: 's',
      queries: [{ expr: 'group:kafka_group_catch_up:seconds < Inf', legend: '{{group}}' }],
    }),
    table('Partitions furthest behind', {
      tells: 'The ten partitions with the most messages to go.',
      whenWrong: 'One partition alone: a single key or a single replica is slow. All of a group: the group is.',
      unit: 'short',
      width: 8,
      decimals: 0,
      columns: { group: 'Group', topic: 'Topic', partition: 'Partition', Value: 'Messages' },
      queries: [
        { expr: 'topk(10, sum by (group, topic, partition) (kafka_group_lag_messages) > 0)', legend: 'messages' },
      ],
    }),

    row('Handling'),
    lines('Processing latency', {
      tells: 'Time from receiving a message to having settled it, half of them and 99 of 100, by group.',
      whenWrong:
        'Grows for a group that calls the outside: see Calls to the outside on Services. For all: the database is slow.',
      unit: 's',
      queries: percentiles('messaging_handling_seconds', 'group'),
    }),
    lines('Delivery latency', {
      tells: 'Time from writing a record to Kafka to having settled it, half of them and 99 of 100, by group.',
      whenWrong:
        'Higher than Processing latency by more than a moment: messages wait in the topic, see Lag in seconds.',
      unit: 's',
      queries: percentiles('messaging_delivery_seconds', 'group'),
    }),
    lines('Batch size', {
      tells: 'Messages per transaction on average, by group; it grows with the load, and that is what makes it cheap.',
      whenWrong:
        'At 500 for long: the group is at its limit, add a replica. At 1 under load: something flushes too early.',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (group) (rate(messaging_batch_records_sum[$__rate_interval])) / sum by (group) (rate(messaging_batch_records_count[$__rate_interval]))',
          legend: '{{group}}',
        },
      ],
    }),
    lines('Batch time', {
      tells: 'How long one batch takes from start to commit, half of them and 99 of 100, by group.',
      whenWrong: 'Above a second: look at the database, then at Batch size.',
      unit: 's',
      queries: percentiles('messaging_batch_seconds', 'group'),
    }),
    lines('Open messages', {
      tells: 'Messages that are received and not settled, by group.',
      whenWrong: 'A flat line that is not zero means a batch that does not end: see Oldest open message.',
      unit: 'short',
      queries: [{ expr: 'sum by (group) (messaging_open_records)', legend: '{{group}}' }],
    }),
    lines('Paused partitions', {
      tells: 'Partitions of which nothing is fetched, by group and reason.',
      whenWrong:
        'high-water: it has enough to do in memory, which is how a backlog looks. outage: the database or a provider is away; the log says which.',
      unit: 'short',
      queries: [{ expr: 'sum by (group, reason) (messaging_paused_partitions) > 0', legend: '{{group}} {{reason}}' }],
    }),
    lines('Oldest open message', {
      tells: 'How long the oldest message that was received waits to be settled, by group.',
      whenWrong: 'It climbs while the database or a provider is away; the log of the service says which.',
      unit: 's',
      queries: [{ expr: 'max by (group) (messaging_oldest_open_seconds)', legend: '{{group}}' }],
    }),

    row('What went wrong'),
    lines('Dead letters by group and reason', {
      tells:
        'Messages that were given up within the last five minutes, by group and reason; no line where there were none.',
      whenWrong: 'docs/runbooks/dead-letters-growing.md tells how to read them and what each reason means.',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (group, reason) (group_reason:messaging_dead_letters:increase5m)',
          legend: '{{group}} {{reason}}',
        },
      ],
    }),
    lines('Parked keys', {
      tells:
        'Orders and products whose messages wait behind one that failed, by group: for the next try, or for a person.',
      whenWrong: 'Any that is held, or a line that does not fall: docs/runbooks/messages-parked.md.',
      unit: 'short',
      queries: [
        { expr: 'max by (group, state) (messaging_parked_keys) > 0', legend: '{{group}} {{state}}' },
        { expr: 'max by (group) (messaging_parked_messages) > 0', legend: '{{group}} messages' },
      ],
    }),
    lines('Oldest parked message', {
      tells: 'Since when the longest of the parked messages waits, by group.',
      whenWrong: 'Above ten minutes: docs/runbooks/messages-parked.md.',
      unit: 's',
      steps: [{ from: 600, color: 'red' }],
      queries: [{ expr: 'max by (group) (messaging_parked_oldest_seconds) > 0', legend: '{{group}}' }],
    }),
    lines('Retries by cause', {
      tells:
        'Repeated tries per second: a message that failed, a side that is away, a lost race, a database that is away.',
      whenWrong:
        'failure: docs/runbooks/messages-parked.md. unavailable: docs/runbooks/outside-unavailable.md. database: is PostgreSQL up? conflict is everyday business in small numbers.',
      unit: 'cps',
      queries: [
        {
          expr: 'sum by (group, cause) (rate(messaging_retries_total[$__rate_interval]))',
          legend: '{{group}} {{cause}}',
        },
      ],
    }),
    lines('Duplicates', {
      tells: 'Messages that came again and were absorbed by the inbox, per second.',
      whenWrong:
        'Some after a restart or a rebalance are right; a steady stream means offsets that are never committed.',
      unit: 'cps',
      queries: [
        {
          expr: 'sum by (group) (rate(messaging_settled_total{outcome="duplicate"}[$__rate_interval]))',
          legend: '{{group}}',
        },
      ],
    }),
    lines('Rebalances', {
      tells: 'How often groups shared out their partitions anew, within five minutes.',
      whenWrong: 'More than a few without a deployment: a replica that comes and goes, see Restarts on Services.',
      unit: 'short',
      queries: [{ expr: 'sum by (group) (increase(messaging_rebalances_total[5m]))', legend: '{{group}}' }],
    }),
    lines('Partitions assigned', {
      tells: 'How many partitions the replicas of each group hold together.',
      whenWrong:
        'It must be the number of partitions of the topics that the group hears; less means that nobody reads some of them.',
      unit: 'short',
      queries: [{ expr: 'sum by (group) (messaging_assigned_partitions)', legend: '{{group}}' }],
    }),

    row('Outbox'),
    lines('Oldest message in the outbox', {
      tells: 'Age of the oldest message that is stored and not yet acknowledged by Kafka, by service.',
      whenWrong: 'Above 30 s: docs/runbooks/outbox-stuck.md. Orders are safe, but nobody hears of them.',
      unit: 's',
      steps: [{ from: 30, color: 'red' }],
      queries: [{ expr: 'service:messaging_outbox_oldest_seconds:max', legend: '{{service}}' }],
    }),
    lines('Messages in the outbox', {
      tells: 'Messages that are stored and not yet sent, by service.',
      whenWrong:
        'It falls by itself when Kafka is back; if it grows while Kafka is fine, the relay has no turn: docs/runbooks/outbox-stuck.md.',
      unit: 'short',
      queries: [{ expr: 'max by (service) (messaging_outbox_rows)', legend: '{{service}}' }],
    }),
    lines('Time in the outbox', {
      tells: 'Time from storing a message to its acknowledgement by Kafka, half of them and 99 of 100, by service.',
      whenWrong:
        'All services together: the brokers are slow, see Request time. One service: its database or its event loop.',
      unit: 's',
      queries: percentiles('messaging_outbox_dwell_seconds', 'service'),
    }),
    lines('Messages sent', {
      tells: 'Messages that the outboxes handed to Kafka per second, by topic.',
      whenWrong:
        'Below Messages into topics: somebody else writes to them. Zero while orders are placed: docs/runbooks/outbox-stuck.md.',
      unit: 'cps',
      queries: [{ expr: 'sum by (topic) (rate(messaging_outbox_sent_total[$__rate_interval]))', legend: '{{topic}}' }],
    }),

    ...brokers,
  ],
};
