import { CapturePayment, type MessageOf, newId, type OrderId } from '@millrace/contracts';
import { decides, type Handler, performs } from '@millrace/messaging';
import { recordFor, tallyStore, type Workbench } from '@millrace/messaging/fixtures';
import { until } from '@millrace/messaging/testing';
import { medianOf, round } from '../measure/percentiles.ts';

import { onOwnServers, say, wholeNumbers } from './runtime-bench.ts';

const HELP = `Measures what one key whose messages always fail costs the messages of all others.

  pnpm bench:poisoned-key [options]

  --pairs N      pairs of rounds, one with the failing key and one without, in turns (default 7)
  --messages N   messages of the other keys in each round (default 30000)
  --help         this text

A round writes the messages, starts a replica, and measures how fast it settles those of the other keys. In a round with the failing
key there are one per cent more messages, all of that key: they are parked, and the first of them is tried again by the usual policy.
It ends with 1 when the failing key costs a tenth or more of the throughput.`;

const KINDS = ['decide', 'perform'] as const;
type Kind = (typeof KINDS)[number];

const ORDERS = 1000;
const SEND_AT_ONCE = 1500;
const POISONED_OF = 100;
const MOST_COST = 0.1;

// Somebody outside who is as quick as anybody is.
const CALL_MS = 1;

type Capture = MessageOf<typeof CapturePayment>;

const options = wholeNumbers(HELP, { pairs: 7, messages: 30_000 });

await onOwnServers('poisoned-key', async (runtime) => {
  for (const kind of KINDS) {
    const bench = await runtime.openWorkbench([groupOf(kind)]);
    say(`${kind}: warming up …`);
    await settled(bench, kind, true);
    const costs: number[] = [];
    for (let pair = 0; pair < options.pairs; pair++) {
      // Which comes first changes, so that what grows with time is nobody's advantage.
      const isPoisonedFirst = pair % 2 === 0;
      const first = await settled(bench, kind, isPoisonedFirst);
      const second = await settled(bench, kind, !isPoisonedFirst);
      const [poisoned, clean] = isPoisonedFirst ? [first, second] : [second, first];
      costs.push(1 - poisoned / clean);
      say(`  ${round(clean)} messages/s without the failing key, ${round(poisoned)} with it`);
    }
    const cost = medianOf(costs);
    say(`${kind}: the failing key costs the others ${percent(cost)} (median of ${costs.map(percent).join(', ')})`);
    if (cost >= MOST_COST) process.exitCode = 1;
  }
});

/** Lets a replica settle a round's messages; answers how many of the other keys it settled per second. */
async function settled(bench: Workbench, kind: Kind, isPoisoned: boolean): Promise<number> {
  const poisoned = newId<OrderId>();
  const orders = Array.from({ length: ORDERS }, () => newId<OrderId>());
  const bodies = Array.from({ length: options.messages }, (_, index) => ({
    orderId: orders[index % ORDERS] ?? poisoned,
  }));
  const sent = isPoisoned
    ? bodies.flatMap((body, index) => (index % POISONED_OF === 0 ? [{ orderId: poisoned }, body] : [body]))
    : bodies;
  for (let start = 0; start < sent.length; start += SEND_AT_ONCE) {
    await bench.topics.send(sent.slice(start, start + SEND_AT_ONCE).map((body) => recordFor(CapturePayment, body)));
  }
  const mine = new Set<string>(orders);
  let firstAtMs: number | undefined;
  let decided = 0;
  await bench.start({
    [groupOf(kind)]: handlerOf(kind, ({ key }) => {
      if (mine.has(key)) {
        firstAtMs ??= performance.now();
        decided += 1;
      } else if (key === poisoned) throw new Error('this key always fails');
    }),
  });
  await until('all others are settled', () => decided >= options.messages, { timeoutMs: 300_000, everyMs: 5 });
  const perSecond = (options.messages / (performance.now() - (firstAtMs ?? 0))) * 1000;
  await bench.stopReplicas();
  // Or the next round would find them.
  await bench.database.query('TRUNCATE messaging.parked_key, messaging.parked_message');
  return perSecond;
}

function handlerOf(kind: Kind, check: (message: Capture) => void): Handler {
  const count = (state: { readonly count: number } | undefined, { body: { orderId } }: Capture) => ({
    state: { orderId, count: (state?.count ?? 0) + 1, applied: [] },
    messages: [],
  });
  if (kind === 'decide') {
    return decides({
      hears: [CapturePayment],
      store: tallyStore,
      decide: (state, message: Capture) => {
        check(message);
        return count(state, message);
      },
    });
  }
  return performs({
    hears: [CapturePayment],
    store: tallyStore,
    perform: async (_state, message: Capture) => {
      await new Promise((resolve) => setTimeout(resolve, CALL_MS));
      check(message);
    },
    decide: (state, message: Capture) => count(state, message),
  });
}

function groupOf(kind: Kind): string {
  return `bench.${kind}`;
}

function percent(part: number): string {
  return `${round(part * 100)} %`;
}
