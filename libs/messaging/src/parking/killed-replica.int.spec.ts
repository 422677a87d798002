import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, type MessageOf, newId, type OrderId } from '@millrace/contracts';
import { tally, tallyStore, Workbench } from '../fixtures/index.ts';
import { decides, performs } from '../handlers/handler.ts';
import { until } from '../testing/until.ts';
import { listParked } from './operations.ts';

const DECIDER = 'test.killed-decider';
const CALLER = 'test.killed-caller';

type Capture = MessageOf<typeof CapturePayment>;

// A dead member's session ends after seconds, its lease of a key too; a process starts slowly on a busy machine.
const PATIENCE = { timeoutMs: 60_000 };

describe('parked messages of a replica that is killed', () => {
  let bench: Workbench;

  beforeAll(async () => {
    bench = await Workbench.open([DECIDER, CALLER]);
  });
  afterAll(async () => {
    await bench.close();
  });

  it('are applied by another one, once and in order, also those that it was just trying', async () => {
    const orderId = newId<OrderId>();
    const child = spawn(
      process.execPath,
      [
        '--conditions=@millrace/source',
        '--import',
        './tools/ts.mjs',
        'libs/messaging/src/fixtures/failing-replica.ts',
        ...[bench.storage.url, bench.topics.prefix, DECIDER, CALLER, orderId],
      ],
      { cwd: fileURLToPath(new URL('../../../../', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(child.stdout, 'data');
      const ids = await bench.send(CapturePayment, [{ orderId }, { orderId }, { orderId }]);
      await until(
        'both groups have parked and tried again',
        async () => {
          const keys = await listParked(bench.database, { key: orderId });
          return keys.length === 2 && keys.every(({ messages, attempts }) => messages === 3 && attempts > 2);
        },
        PATIENCE,
      );
      child.kill('SIGKILL');
      await once(child, 'exit');
      const late = await bench.send(CapturePayment, [{ orderId }]);
      const called: string[] = [];
      await bench.start({
        [DECIDER]: decides({ hears: [CapturePayment], store: tallyStore, decide: tally }),
        [CALLER]: performs({
          hears: [CapturePayment],
          store: tallyStore,
          perform: async (_state, { id }: Capture) => void called.push(id),
          decide: (state) => ({ state, messages: [] }),
        }),
      });
      await until('all are applied', async () => (await bench.applied(orderId)).length >= 4, PATIENCE);
      expect(await bench.applied(orderId)).toEqual([...ids, ...late]);
      await until('all are called about', () => called.length === 4, PATIENCE);
      expect(called).toEqual([...ids, ...late]);
      await until('the keys flow', async () => (await listParked(bench.database)).length === 0);
    } finally {
      child.kill('SIGKILL');
    }
  }, 240_000);
});
