import type { Dashboard } from './dashboard.ts';
import { lines, percentiles, row, table } from './panels.ts';

// Health checks and scrapes are no customers.
const business = 'service=~"$service",route!~"/health.*|/metrics"';

export const services: Dashboard = {
  uid: 'millrace-services',
  title: 'Services',
  description: 'The processes: who is up, how they answer, what they use',
  choosesService: true,
  panels: [
    row('At a glance'),
    table('Alerts', {
      tells: 'Alerts that fire now.',
      whenWrong:
        'Each has a page in docs/runbooks, named after it; its annotation runbook_url in Prometheus says which.',
      unit: 'short',
      columns: { alertname: 'Alert', severity: 'Severity', service: 'Service', group: 'Group', job: 'Job' },
      queries: [{ expr: 'ALERTS{alertstate="firing"}', legend: 'alerts' }],
    }),
    table('Replicas', {
      tells: 'How many replicas of each service Prometheus finds, and how many of them answer.',
      whenWrong:
        'Fewer answer than there are: docs/runbooks/replica-down.md. A service is missing: docs/runbooks/service-down.md.',
      unit: 'short',
      decimals: 0,
      columns: { service: 'Service', 'Value #A': 'Answer', 'Value #B': 'Found' },
      queries: [
        { expr: 'sum by (service) (up{job="services",service=~"$service"})', legend: 'answer' },
        { expr: 'count by (service) (up{job="services",service=~"$service"})', legend: 'found' },
      ],
    }),

    row('HTTP'),
    lines('Requests', {
      tells: 'Requests per second by service, without health checks and scrapes.',
      whenWrong: 'Zero on order while the gateway has some: the gateway finds no replica, see Replicas.',
      unit: 'reqps',
      queries: [{ expr: 'service:http_server_requests:rate1m{service=~"$service"}', legend: '{{service}}' }],
    }),
    lines('Errors', {
      tells: 'Share of the requests that were answered with 5xx, by service.',
      whenWrong: 'Above 5 % for a minute: docs/runbooks/api-errors.md.',
      unit: 'percentunit',
      steps: [{ from: 0.05, color: 'red' }],
      queries: [{ expr: 'service:http_server_errors:ratio1m{service=~"$service"}', legend: '{{service}}' }],
    }),
    lines('Duration', {
      tells:
        'How long requests take, half of them and 99 of 100, by service; event streams of order last as long as customers watch.',
      whenWrong: 'See Slowest routes for which; docs/runbooks/api-slow.md for placing orders.',
      unit: 's',
      queries: percentiles('http_server_requests_seconds', 'service', `{${business},route!~".*/stream"}`),
    }),
    lines('Requests by route', {
      tells: 'Requests per second by service, method and route; paths without a route share one line.',
      whenWrong: 'Many `unmatched`: a client uses a wrong address, or somebody probes.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (service, method, route) (rate(http_server_requests_seconds_count{${business},service!="gateway"}[$__rate_interval]))`,
          legend: '{{service}} {{method}} {{route}}',
        },
      ],
    }),
    lines('Refusals and errors by route', {
      tells: 'Answers of 400 and above per second, by service, route and status.',
      whenWrong:
        '4xx are the caller’s: the README of the service explains each problem. 5xx: docs/runbooks/api-errors.md.',
      unit: 'reqps',
      queries: [
        {
          expr: `sum by (service, route, status) (rate(http_server_requests_seconds_count{${business},service!="gateway",status=~"[45].."}[$__rate_interval]))`,
          legend: '{{service}} {{route}} {{status}}',
        },
      ],
    }),
    table('Slowest routes', {
      tells: 'The ten routes with the highest 99th percentile over five minutes.',
      whenWrong: 'Open a trace of that route in Jaeger (link Traces) and look which span is long.',
      unit: 's',
      width: 8,
      columns: { service: 'Service', method: 'Method', route: 'Route', Value: 'p99' },
      queries: [
        {
          expr: `topk(10, histogram_quantile(0.99, sum by (le, service, method, route) (rate(http_server_requests_seconds_bucket{${business},service!="gateway",route!~".*/stream"}[5m]))) > 0)`,
          legend: 'p99',
        },
      ],
    }),

    row('The gateway'),
    lines('Replicas behind the gateway', {
      tells: 'How many replicas of each API the gateway shares the requests among.',
      whenWrong: 'It follows --scale within seconds; if not, see the log of the gateway.',
      unit: 'short',
      queries: [{ expr: 'max by (api) (gateway_replicas)', legend: '{{api}}' }],
    }),
    lines('Requests without an answer', {
      tells: 'Requests per second that no replica answered, by API and reason, and those that a second replica got.',
      whenWrong:
        'A few retries while replicas restart are right; failures mean that customers saw 502 or 503: docs/runbooks/api-errors.md.',
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (api, reason) (rate(gateway_upstream_failures_total[$__rate_interval]))',
          legend: '{{api}} {{reason}}',
        },
        {
          expr: 'sum by (api) (rate(gateway_retries_total[$__rate_interval]))',
          legend: '{{api}} sent to another replica',
        },
      ],
    }),
    lines('Requests under way', {
      tells: 'Requests that are not fully answered, event streams among them, by API.',
      whenWrong: 'It grows without more requests: answers got slow, see Duration.',
      unit: 'short',
      queries: [{ expr: 'sum by (api) (gateway_open_requests)', legend: '{{api}}' }],
    }),

    row('Calls to the outside'),
    lines('Calls', {
      tells: 'Calls per second to payment provider, carrier and mail server, by consumer group and outcome.',
      whenWrong:
        'failed, timeout or unavailable are most of them: docs/runbooks/outside-unavailable.md. refused is an answer, not an error.',
      unit: 'cps',
      queries: [
        {
          expr: 'sum by (group, outcome) (rate(messaging_call_seconds_count{service=~"$service"}[$__rate_interval]))',
          legend: '{{group}} {{outcome}}',
        },
      ],
    }),
    lines('Duration of calls', {
      tells: 'How long these calls take, half of them and 99 of 100, by consumer group.',
      whenWrong: 'Near the timeout: the other side is overloaded; calls are bounded in number, so lag follows.',
      unit: 's',
      queries: percentiles('messaging_call_seconds', 'group', '{service=~"$service"}'),
    }),
    lines('Restarts', {
      tells: 'How often replicas started anew within 15 minutes, by service.',
      whenWrong: 'More than deployments explain: the last lines of docker compose logs <service> say why it ended.',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (service) (changes(process_start_time_seconds{job="services",service=~"$service"}[15m]))',
          legend: '{{service}}',
        },
      ],
    }),

    row('Processes'),
    lines('Event-loop delay', {
      tells:
        'By how much timers come late, 99 of 100, by replica: while the event loop is busy, everything in the process waits.',
      whenWrong: 'Above 100 ms for long: more replicas, or a profile of what keeps it busy.',
      unit: 's',
      steps: [{ from: 0.1, color: 'orange' }],
      queries: [
        {
          expr: 'nodejs_eventloop_lag_p99_seconds{job="services",service=~"$service"}',
          legend: '{{service}} {{instance}}',
        },
      ],
    }),
    lines('Memory', {
      tells: 'Memory that each replica occupies; its limit is mem_limit in docker-compose.yml.',
      whenWrong: 'A line that only climbs, over hours, is a leak: compare with Heap in use, take a heap snapshot.',
      unit: 'bytes',
      queries: [
        {
          expr: 'process_resident_memory_bytes{job="services",service=~"$service"}',
          legend: '{{service}} {{instance}}',
        },
      ],
    }),
    lines('Heap in use', {
      tells: 'Memory that JavaScript objects of each replica take.',
      whenWrong: 'The low points of the saw-tooth should stay level; if they rise, objects are kept that should go.',
      unit: 'bytes',
      queries: [
        {
          expr: 'nodejs_heap_size_used_bytes{job="services",service=~"$service"}',
          legend: '{{service}} {{instance}}',
        },
      ],
    }),
    lines('Processor', {
      tells: 'Processor time that each service uses, in cores, all replicas together.',
      whenWrong: 'Near one core per replica: add replicas. High without traffic: something polls.',
      unit: 'short',
      queries: [
        {
          expr: 'sum by (service) (rate(process_cpu_seconds_total{job="services",service=~"$service"}[$__rate_interval]))',
          legend: '{{service}}',
        },
      ],
    }),
    lines('Spans lost by the collector', {
      tells: 'Spans per second that did not reach Jaeger: not sent, no room in the queue, or refused at the door.',
      whenWrong: 'docs/runbooks/spans-dropped.md. Orders are not affected, only their traces have holes.',
      unit: 'cps',
      queries: [
        { expr: 'sum(rate(otelcol_exporter_send_failed_spans_total[$__rate_interval]))', legend: 'not sent' },
        { expr: 'sum(rate(otelcol_exporter_enqueue_failed_spans_total[$__rate_interval]))', legend: 'no room' },
        { expr: 'sum(rate(otelcol_receiver_refused_spans_total[$__rate_interval]))', legend: 'refused' },
      ],
    }),
    lines('Spans received and sent', {
      tells: 'Spans per second that the collector gets from the services and hands on to Jaeger.',
      whenWrong:
        'Received but not sent: Jaeger is away. Not received although orders are placed: TRACE_SAMPLE_RATIO or the endpoint of the services.',
      unit: 'cps',
      queries: [
        { expr: 'sum(rate(otelcol_receiver_accepted_spans_total[$__rate_interval]))', legend: 'received' },
        { expr: 'sum(rate(otelcol_exporter_sent_spans_total[$__rate_interval]))', legend: 'sent' },
      ],
    }),
  ],
};
