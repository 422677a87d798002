import type { Dashboard } from './dashboard.ts';
import { bars, count, lines, row } from './panels.ts';

// The figures of analytics come from its read model: each replica shows all of them, so replicas are not added up.
const orders = (status: string, range: string) =>
  `sum(max by (currency) (increase(shop_orders_total{status="${status}"}[${range}])))`;

export const shop: Dashboard = {
  uid: 'millrace-shop',
  title: 'Shop',
  description: 'What customers do and what becomes of it',
  panels: [
    row('At a glance'),
    count('Orders placed', {
      tells: 'Orders accepted in the chosen time, as analytics has heard of them.',
      whenWrong: 'None although customers are there: see Answers to new orders below, then the dashboard Services.',
      queries: [{ expr: orders('placed', '$__range'), legend: 'placed' }],
    }),
    count('Completed', {
      tells: 'Orders that were paid and shipped in the chosen time.',
      whenWrong: 'Far below the placed ones: see In flight by stage for where they wait.',
      queries: [{ expr: orders('completed', '$__range'), legend: 'completed' }],
    }),
    count('Cancelled', {
      tells: 'Orders that ended with money and stock given back in the chosen time.',
      whenWrong:
        'More than usual: Cancellations by reason tells whether stock, payment, shipping or customers are behind it.',
      queries: [{ expr: orders('cancelled', '$__range'), legend: 'cancelled' }],
    }),
    count('In flight', {
      tells: 'Accepted orders that have not reached their end.',
      whenWrong: 'It grows while orders arrive evenly: some stage no longer flows, see In flight by stage.',
      queries: [{ expr: 'sum(max by (stage) (order_checkouts_in_flight))', legend: 'in flight' }],
    }),
    count('Past their deadline', {
      tells: 'Checkouts whose deadline passed more than 10 s ago without anybody acting on it.',
      whenWrong:
        'Anything but 0 means that the order service does not do its due work: docs/runbooks/checkout-past-deadline.md.',
      steps: [{ from: 1, color: 'red' }],
      queries: [{ expr: 'max(order_checkouts_past_deadline)', legend: 'overdue' }],
    }),
    count('Findings in the books', {
      tells: 'Violations that the auditor found among the orders that ended lately.',
      whenWrong: 'Anything but 0 is a broken promise: docs/runbooks/books-do-not-add-up.md.',
      steps: [{ from: 1, color: 'red' }],
      queries: [{ expr: 'sum(max by (rule) (books_findings))', legend: 'findings' }],
    }),

    row('Orders and revenue'),
    lines('Orders per minute', {
      tells: 'How many orders reach each status per minute.',
      whenWrong:
        'Placed stays up while confirmed or completed falls: something between them is stuck, see In flight by stage.',
      unit: 'opm',
      queries: [
        {
          expr: '60 * sum by (status) (max by (currency, status) (rate(shop_orders_total[$__rate_interval])))',
          legend: '{{status}}',
        },
      ],
    }),
    lines('Revenue per minute', {
      tells:
        'What completed orders bring per minute, in the smallest unit of each currency (cents); currencies are never added up.',
      whenWrong:
        'It falls while orders complete: look at the prices in the catalog; it falls with them: see Orders per minute.',
      unit: 'short',
      queries: [
        {
          expr: '60 * max by (currency) (rate(shop_revenue_minor_total[$__rate_interval]))',
          legend: '{{currency}} (minor units)',
        },
      ],
    }),
    bars('Funnel', {
      tells: 'How many orders reached each step in the chosen time.',
      whenWrong:
        'The step before the largest drop has the cause; at stock-reserved it is stock, at payment-authorized the cashier.',
      unit: 'short',
      decimals: 0,
      queries: [
        'placed',
        'stock-reserved',
        'payment-authorized',
        'confirmed',
        'dispatched',
        'completed',
        'delivered',
      ].map((step) => ({
        expr: `max(increase(shop_order_steps_total{step="${step}"}[$__range]))`,
        legend: step,
      })),
    }),
    bars('Cancellations by reason', {
      tells: 'Why orders were cancelled in the chosen time.',
      whenWrong:
        'out-of-stock: restock at http://127.0.0.1:8082/docs (POST /products/{sku}/stock). payment-declined, shipment-refused: ask the provider if there are many. timed-out: a participant does not answer, see Event flow.',
      unit: 'short',
      decimals: 0,
      queries: [{ expr: 'max by (reason) (increase(shop_cancellations_total[$__range]))', legend: '{{reason}}' }],
    }),
    lines('Cancellations over time', {
      tells: 'Cancelled orders per minute, by reason.',
      whenWrong: 'A step upwards has a date: compare it with deployments and with Calls to the outside on Services.',
      unit: 'opm',
      isStacked: true,
      queries: [
        {
          expr: '60 * max by (reason) (rate(shop_cancellations_total[$__rate_interval]))',
          legend: '{{reason}}',
        },
      ],
    }),
    lines('Answers to new orders', {
      tells: 'How the order API answers POST /orders: accepted, repeated, refused or failed, per second.',
      whenWrong: 'failed: docs/runbooks/api-errors.md. too-busy: docs/runbooks/orders-turned-away.md.',
      unit: 'reqps',
      isStacked: true,
      queries: [{ expr: 'sum by (outcome) (rate(order_placements_total[$__rate_interval]))', legend: '{{outcome}}' }],
    }),
    lines('Orders turned away', {
      tells: 'Requests per second that are answered with 503 because of a limit, by reason.',
      whenWrong: 'More than a moment: docs/runbooks/orders-turned-away.md. What was accepted before is safe.',
      unit: 'reqps',
      isStacked: true,
      queries: [
        {
          expr: 'sum by (request, reason) (rate(order_turned_away_total[$__rate_interval]))',
          legend: '{{request}} {{reason}}',
        },
      ],
    }),

    row('Checkouts under way'),
    lines('In flight by stage', {
      tells: 'What orders under way wait for.',
      whenWrong:
        'The stage that grows names the participant: stock, payment, dispatch. See its lag and its calls on Event flow.',
      unit: 'short',
      isStacked: true,
      queries: [{ expr: 'max by (stage) (order_checkouts_in_flight)', legend: '{{stage}}' }],
    }),
    lines('Oldest by stage', {
      tells: 'How long the oldest order of each stage has been waiting.',
      whenWrong:
        'It may climb to the deadline of its stage, then it must fall; if it does not: docs/runbooks/checkout-past-deadline.md.',
      unit: 's',
      queries: [{ expr: 'max by (stage) (order_checkouts_oldest_seconds)', legend: '{{stage}}' }],
    }),
    lines('Watchers', {
      tells: 'Event streams that customers hold open to follow their orders, per replica of order.',
      whenWrong: 'Near MAX_STREAMS (1000 unless set) watchers are turned away soon: start another replica of order.',
      unit: 'short',
      queries: [{ expr: 'order_streams_open', legend: '{{instance}}' }],
    }),

    row('The books'),
    lines('Findings by rule', {
      tells: 'What the auditor found wrong, by rule of the books.',
      whenWrong:
        'docs/runbooks/books-do-not-add-up.md tells how to find the orders; the auditor logs each of them once.',
      unit: 'short',
      steps: [{ from: 1, color: 'red' }],
      queries: [{ expr: 'max by (rule) (books_findings)', legend: '{{rule}}' }],
    }),
    lines('Age of the last check', {
      tells: 'How long ago the auditor finished checking the books.',
      whenWrong:
        'A saw-tooth of about half a minute is right; a line that only climbs: docs/runbooks/auditor-silent.md.',
      unit: 's',
      steps: [{ from: 120, color: 'red' }],
      queries: [{ expr: 'time() - max(books_checked_timestamp_seconds)', legend: 'since the last check' }],
    }),
    lines('Orders in the books', {
      tells:
        'Orders that the auditor has judged since it started, by how they ended, each about a minute after its end; open: not judged yet.',
      whenWrong:
        'No growth for minutes while orders complete: the auditor looks at the wrong shop, see its environment in docker-compose.yml.',
      unit: 'short',
      queries: [{ expr: 'max by (status) (books_orders)', legend: '{{status}}' }],
    }),
  ],
};
