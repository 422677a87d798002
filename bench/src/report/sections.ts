import type { Circumstances } from '../measure/machine.ts';
import type { Percentiles } from '../measure/percentiles.ts';
import { type ByProcess, totalOf } from '../measure/usage-recorder.ts';
import type { PhaseName } from '../phases/names.ts';
import type { SaturationRun } from '../phases/saturation.ts';
import type { Results } from '../results.ts';

type Cell = string | number;

/** What one phase found out, for people: a sentence or two, and tables whose first row is their head. */
export interface Section {
  readonly phase: PhaseName;
  readonly title: string;
  readonly circumstances: Circumstances;
  readonly text: string;
  readonly tables: readonly (readonly (readonly Cell[])[])[];
}

// Somebody else, or the phase before, used at least half a core.
const CROWDED = 0.5;

export function circumstancesText(where: Circumstances): string {
  const { date, commit, cores, cpu, memoryGiB, system, node, loadBefore, isQuick } = where;
  return [
    `Measured ${date.slice(0, 16).replace('T', ' ')} UTC at ${commit} on ${cores} cores (${cpu}), ${memoryGiB} GiB, ${system}, Node ${node.slice(1)}.`,
    ...(loadBefore > CROWDED
      ? [
          `The minute before it was not quiet: a load average of ${loadBefore}, which phases before this one count towards. If it was somebody else, the times are not those of the shop.`,
        ]
      : []),
    ...(isQuick ? ['A quick run: shorter than the figures deserve.'] : []),
  ].join(' ');
}

/** A section for each phase that was measured, in their order. */
export function sectionsOf(results: Results): readonly Section[] {
  return [
    ...saturation(results),
    ...openLoop(results),
    ...recovery(results),
    ...backlog(results),
    ...replay(results),
    ...counts(results),
    ...scaling(results),
    ...growth(results),
  ];
}

function saturation({ saturation: measured }: Results): readonly Section[] {
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  const { runs, ordersPerSecond, cpuMsPerOrder, timesAsFast, timesLessCpu } = found;
  const table = (head: string, of: (run: SaturationRun) => Readonly<Record<string, number>>): readonly Cell[][] => {
    const names = [...new Set(runs.flatMap((run) => Object.keys(of(run))))];
    return [
      [head, ...runs.map(({ system }) => system)],
      ...names.map((name) => [name, ...runs.map((run) => of(run)[name] ?? '–')]),
    ];
  };
  const latency = (of: (run: SaturationRun) => Percentiles): readonly Cell[][] =>
    runs.map((run) => [run.system, ...percentileCells(of(run))]);
  return [
    {
      phase: 'saturation',
      title: 'Saturation, against the same saga written the usual way',
      circumstances,
      text: `The shop completed ${ordersPerSecond.millrace} orders per second, the baseline ${ordersPerSecond.baseline}: ${timesAsFast} times as many. An order took ${cpuMsPerOrder.millrace} ms of CPU time, against ${cpuMsPerOrder.baseline} ms: ${timesLessCpu} times less. ${roundsText(runs.length / 2)}; a closed loop, in which an order counts when it is shipped and its customer was told.`,
      tables: [
        [
          ['run', 'customers', 'seconds', 'orders/s', 'CPU ms/order'],
          ...runs.map((run) => [run.system, run.customers, run.seconds, run.ordersPerSecond, run.cpuMsPerOrderTotal]),
        ],
        table('CPU ms per order', (run) => run.cpuMsPerOrder),
        table('memory at the start, MiB', ({ idleMemoryMiB }) => withSum(idleMemoryMiB)),
        table('memory at most, MiB', ({ peakMemoryMiB }) => withSum(peakMemoryMiB)),
        [['accepted → confirmed, one order at a time, ms', ...PERCENTILES], ...latency(({ idle }) => idle.percentiles)],
        [['accepted → confirmed, saturated, ms', ...PERCENTILES], ...latency(({ loaded }) => loaded.percentiles)],
      ],
    },
  ];
}

function openLoop(results: Results): readonly Section[] {
  const measured = results['open-loop'];
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  return [
    {
      phase: 'open-loop',
      title: 'A fixed rate, without coordinated omission',
      circumstances,
      text: `${found.ordersPerSecond} orders became due per second for ${found.seconds} s, whatever became of those before: ${found.placed} in all, ${found.failed} of them turned away or not answered. An order took ${found.cpuMsPerOrderTotal} ms of CPU time.`,
      tables: [
        [
          ['ms', ...PERCENTILES],
          ['accepted → confirmed', ...percentileCells(found.acceptedToConfirmed.percentiles)],
          ['due → confirmed', ...percentileCells(found.dueToConfirmed.percentiles)],
        ],
      ],
    },
  ];
}

function recovery({ recovery: measured }: Results): readonly Section[] {
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  return [
    {
      phase: 'recovery',
      title: 'Recovery',
      circumstances,
      text: `The ${found.service} service was killed for ${found.outageSeconds} s while ${found.ordersPerSecond} orders came per second. ${found.failed} of them could not be placed. When it came back ${found.waited} orders were under way; it was ready after ${found.readySeconds} s, and after ${found.caughtUpSeconds} s no more were under way than before, while more kept coming.`,
      tables: [],
    },
  ];
}

function backlog({ backlog: measured }: Results): readonly Section[] {
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  return [
    {
      phase: 'backlog',
      title: 'A backlog',
      circumstances,
      text: `${found.orders} orders were accepted, ${found.acceptedPerSecond} per second, while the ${found.service} service was away. From its start on they were all completed within ${found.seconds} s: ${found.ordersPerSecond} orders per second.`,
      tables: [],
    },
  ];
}

function replay({ replay: measured }: Results): readonly Section[] {
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  return [
    {
      phase: 'replay',
      title: 'Rebuilding a read model',
      circumstances,
      text: `\`${found.projection}\` was rebuilt beside the live one from ${found.events} events in ${found.seconds} s: ${found.eventsPerSecond} events per second.`,
      tables: [],
    },
  ];
}

function counts({ counts: measured }: Results): readonly Section[] {
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  const { millrace, baseline } = found;
  const all = [...new Set([...Object.keys(millrace.kafkaRequests), ...Object.keys(baseline.kafkaRequests)])];
  // Not those that are sent once, when a client starts.
  const kinds = all.filter((name) => (millrace.kafkaRequests[name] ?? 0) + (baseline.kafkaRequests[name] ?? 0) > 0);
  const kind = (name: string): Cell[] => [
    `– ${name}`,
    millrace.kafkaRequests[name] ?? 0,
    baseline.kafkaRequests[name] ?? 0,
  ];
  return [
    {
      phase: 'counts',
      title: 'What an order is made of',
      circumstances,
      text: `Counted under saturation, in runs of their own: ${millrace.orders} orders of the shop, ${baseline.orders} of the baseline. SQL statements by \`pg_stat_statements\` (BEGIN and COMMIT are statements too), Kafka requests where they leave the services.`,
      tables: [
        [
          ['per order', 'millrace', 'baseline'],
          ['SQL statements', millrace.sqlStatements, baseline.sqlStatements],
          ['transactions', millrace.transactions, baseline.transactions],
          ['Kafka requests', millrace.kafkaRequestsTotal, baseline.kafkaRequestsTotal],
          ...kinds.map(kind),
          ['bytes that stay in PostgreSQL', millrace.postgresBytes, baseline.postgresBytes],
          ['bytes that stay in Kafka', millrace.kafkaBytes, baseline.kafkaBytes],
          ["bytes of PostgreSQL's write-ahead log", millrace.walBytes, baseline.walBytes],
        ],
      ],
    },
  ];
}

function scaling({ scaling: measured }: Results): readonly Section[] {
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  return [
    {
      phase: 'scaling',
      title: 'More replicas',
      circumstances,
      text: `Replicas of the ${found.service} service on the same six partitions, ${found.mails} mails each time, with a mail server that takes ${found.answerDelayMs} ms longer for each answer. A replica waits for the mail server and not for a core; where the cores of one machine are the limit, another process on it cannot help. Four replicas get 2, 2, 1 and 1 of the partitions, so three times as fast is the most that they can be.`,
      tables: [
        [
          ['replicas', 'mails/s', 'of perfect scaling'],
          ...found.steps.map(({ replicas, mailsPerSecond, efficiency }) => [
            replicas,
            mailsPerSecond,
            `${Math.round(efficiency * 100)} %`,
          ]),
        ],
      ],
    },
  ];
}

function growth({ growth: measured }: Results): readonly Section[] {
  if (measured === undefined) return [];
  const { circumstances, found } = measured;
  const { steps, grownBy, isFlat } = found;
  return [
    {
      phase: 'growth',
      title: 'As the databases grow',
      circumstances,
      text: `The dearest order took ${Math.round(grownBy * 100)} % more CPU time than those of the first step${isFlat ? ', which is flat within 20 %' : ': more than the 20 % that are allowed'}. The orders of the first step were placed; afterwards the databases were filled with copies of orders, older ones with ids of their own and all rows that an order leaves, and some were placed to warm up. Kafka's log holds those that were placed.`,
      tables: [
        [
          [
            'orders in the databases',
            'of which placed',
            'CPU ms/order',
            'orders/s',
            'PostgreSQL MiB',
            'of which indexes',
            'Kafka MiB',
          ],
          ...steps.map(({ orders, placed, cpuMsPerOrderTotal, ordersPerSecond, disk, indexBytes }) => [
            orders,
            placed,
            cpuMsPerOrderTotal,
            ordersPerSecond,
            mib(disk.postgres),
            mib(indexBytes),
            mib(disk.kafka),
          ]),
        ],
      ],
    },
  ];
}

const PERCENTILES = ['p50', 'p95', 'p99', 'max', 'orders'] as const;

function roundsText(rounds: number): string {
  return rounds === 1 ? 'One round of both' : `Medians of ${rounds} rounds, in turns`;
}

function withSum(values: ByProcess): ByProcess {
  return { ...values, 'all but the load generator': totalOf(values) };
}

function percentileCells({ p50, p95, p99, max, count }: Percentiles): Cell[] {
  return [p50, p95, p99, max, count];
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
