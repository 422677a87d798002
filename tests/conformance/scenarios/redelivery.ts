import { expectEqual } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { ledgerCommands } from '../service/contracts.ts';

export const redelivery: readonly Scenario[] = [
  {
    promise: 'redelivery',
    title: 'what was sent before the group first came is applied',
    async run(bench) {
      const accounts = bench.accounts(20);
      await bench.send(accounts, 3);
      await bench.join(['decide']);
      await bench.send(accounts);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
    },
  },
  {
    promise: 'redelivery',
    title: 'what a killed replica had received and not settled is applied by the next one',
    async run(bench) {
      const [held = '', ...others] = bench.accounts(20);
      const first = await bench.join(['decide']);
      await bench.trouble(held, 'wait');
      await bench.send([held, ...others], 4);
      await bench.untilUnderWay(held);
      const since = performance.now();
      // Twice the time after which offsets are committed.
      await bench.until('a commit would have been made', () => performance.now() - since > 1000);
      await first.handle.kill();
      await bench.noTrouble(held);
      await bench.start(['decide']);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
    },
  },
  {
    promise: 'redelivery',
    title: 'a slow call holds back the offsets behind it, and is made again when its replica is killed',
    async run(bench) {
      const [slow = '', ...others] = bench.accounts(60);
      const first = await bench.join(['perform']);
      await bench.trouble(slow, 'wait');
      await bench.send([slow, ...others], 2);
      await bench.untilUnderWay(slow);
      await bench.untilApplied('perform', 2 * others.length);
      await bench.until('all other partitions are committed', async () => (await bench.openPartitions('perform')) <= 1);
      await first.handle.kill();
      await bench.noTrouble(slow);
      await bench.start(['perform']);
      await bench.untilSettled('perform');
      await bench.expectApplied('perform');
    },
  },
  {
    promise: 'redelivery',
    title: 'offsets that are put back to zero have no effect: nothing is applied, called for or said again',
    async run(bench) {
      const accounts = bench.accounts(20);
      const first = await bench.join(['decide', 'perform']);
      await bench.send(accounts, 5);
      await bench.untilSettled('decide');
      await bench.untilSettled('perform');
      await bench.untilSaid();
      const calls = await bench.calls();
      await first.stop();
      await bench.forgetOffsets('decide');
      await bench.forgetOffsets('perform');
      expectEqual('partitions to be read again', await bench.openPartitions('decide'), ledgerCommands.partitions);
      await bench.join(['decide', 'perform']);
      await bench.untilSettled('decide');
      await bench.untilSettled('perform');
      await bench.untilSaid();
      await bench.expectApplied('decide');
      await bench.expectApplied('perform');
      expectEqual('calls', await bench.calls(), calls);
      // Both groups say something about each line.
      expectEqual('events', (await bench.events()).length, 2 * 5 * accounts.length);
    },
  },
];
