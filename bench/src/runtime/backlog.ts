import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { CapturePayment, newId, type OrderId } from '@millrace/contracts';
import { recordFor, type Workbench } from '@millrace/messaging/fixtures';
import { type BacklogTask, BACKLOG_TABLE, GROUP, type Progress } from './backlog-task.ts';
import { onOwnServers, type RuntimeBench, say, wholeNumbers } from './runtime-bench.ts';

const HELP = `Measures a consumer that finds a backlog: how much memory it needs for it, and how fast it catches up.

  pnpm bench:backlog [options]

  --messages N   how many wait when the consumer starts (default 1000000)
  --heap MIB     V8's limit for the consumer's old space (default 64)
  --help         this text`;

// An order has its messages in one partition; a thousand orders fill all of them.
const ORDERS = 1000;

// At most 1 MiB may go to one partition at once.
const SEND_AT_ONCE = 1500;

// What a message of a shop weighs, with its headers: about 600 bytes.
const PADDING = 'x'.repeat(150);

const options = wholeNumbers(HELP, { messages: 1_000_000, heap: 64 });

await onOwnServers('backlog', async (runtime) => {
  const bench = await runtime.openWorkbench([GROUP], BACKLOG_TABLE);
  say(`Writing ${options.messages} messages …`);
  const writing = performance.now();
  await write(bench);
  say(`Written in ${seconds(writing)} s. Now the consumer starts, with a heap of ${options.heap} MiB.`);

  const reading = performance.now();
  const last = await consume(runtime, {
    brokers: runtime.brokers,
    prefix: bench.topics.prefix,
    url: bench.storage.url,
    messages: options.messages,
  });
  const took = seconds(reading);
  const { rows } = await bench.database.query<{ n: number }>('SELECT sum(count)::int AS n FROM backlog');
  say('');
  say(`Settled                 ${rows[0]?.n} of ${options.messages}`);
  say(`Time, with the start    ${took} s, ${Math.round(options.messages / took)} messages/s`);
  say(`Most in memory          ${last.openRecords} records, ${mib(last.openBytes)} MiB of values`);
  say(`Peak heap               ${mib(last.heapUsed)} MiB, and ${mib(last.arrayBuffers)} MiB of buffers beside it`);
  say(`Peak resident memory    ${mib(last.rss)} MiB; ${mib(last.rssAtStart)} MiB of it before the first fetch`);
  if (rows[0]?.n !== options.messages) process.exitCode = 1;
});

async function write(bench: Workbench): Promise<void> {
  const orders = Array.from({ length: ORDERS }, () => newId<OrderId>());
  for (let sent = 0; sent < options.messages; sent += SEND_AT_ONCE) {
    await bench.topics.send(
      Array.from({ length: Math.min(SEND_AT_ONCE, options.messages - sent) }, (_, index) => {
        const orderId = orders[(sent + index) % ORDERS] as OrderId;
        return {
          ...recordFor(CapturePayment, { orderId }),
          value: JSON.stringify({ orderId, padding: PADDING }),
        };
      }),
    );
  }
}

/** Runs the consumer as a process of its own until it has settled everything; resolves with the most it had of each. */
async function consume(runtime: RuntimeBench, task: BacklogTask): Promise<Progress> {
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      `--max-old-space-size=${options.heap}`,
      join(import.meta.dirname, 'backlog-consumer.ts'),
      JSON.stringify(task),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  runtime.atTheEnd(() => child.kill());
  const ended = once(child, 'close');
  let last: Progress | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as Progress;
    say(`  ${last.settled} settled, ${last.perSecond}/s, resident ${mib(last.rss)} MiB`);
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0 || last === undefined)
    throw new Error(`the consumer ended with ${code}: its heap was too small, or it failed`);
  return last;
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 100) / 10;
}

function mib(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
}
