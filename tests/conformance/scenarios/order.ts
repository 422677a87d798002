import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { ledgerEvents } from '../service/contracts.ts';

export const order: readonly Scenario[] = [
  {
    promise: 'order',
    title: 'two replicas apply the lines of every account in order, batch after batch',
    async run(bench) {
      const accounts = bench.accounts(40);
      await bench.join(['decide']);
      await bench.join(['decide'], 2);
      for (let burst = 0; burst < 4; burst++) {
        // Several lines of an account in one request, and more while the first are worked on.
        await bench.topics.send([...accounts, ...accounts, ...accounts].map((account) => bench.record(account)));
        await bench.send(accounts, 2);
      }
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
      const replicas = new Set((await bench.applied('decide')).map(({ replica }) => replica));
      expectEqual('both replicas worked', replicas.size, 2);
    },
  },
  {
    promise: 'order',
    title: 'what arrives while a batch is held up does not overtake it',
    async run(bench) {
      const [held = '', ...others] = bench.accounts(12);
      await bench.join(['decide']);
      await bench.trouble(held, 'wait');
      await bench.send([held, ...others], 3);
      await bench.untilUnderWay(held);
      await bench.send([held, ...others], 5);
      await bench.noTrouble(held);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
    },
  },
  {
    promise: 'order',
    title: 'the outside world is called for one line of an account after the other',
    async run(bench) {
      const [slow = '', ...others] = bench.accounts(12);
      const accounts = [slow, ...others];
      await bench.send(accounts, 3);
      await bench.trouble(slow, 'wait', 4);
      await bench.join(['perform']);
      await bench.send(accounts);
      await bench.untilUnderWay(slow);
      await bench.send(accounts, 6);
      await bench.untilApplied('perform', 10 * others.length);
      await bench.noTrouble(slow);
      await bench.untilSettled('perform');
      await bench.expectApplied('perform');
      const calls = await bench.calls();
      for (const account of accounts) {
        const own = calls.filter((call) => call.account === account);
        expectEqual(
          'calls are in order',
          own.map(({ id }) => id),
          bench.sent.get(account),
        );
        for (const [index, { began }] of own.entries()) {
          const before = own[index - 1];
          if (before) expectThat('calls of one account do not overlap', (before.ended ?? Infinity) < began);
        }
      }
    },
  },
  {
    promise: 'order',
    title: 'a topic is given more partitions while lines are written and read, and no account is reordered',
    async run(bench) {
      const accounts = bench.accounts(40);
      await bench.join(['decide']);
      await bench.join(['project']);
      await bench.sendUntil(bench.grow(ledgerEvents.name, 2 * ledgerEvents.partitions), accounts);
      await bench.send(accounts, 2);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      await bench.untilSettled('project');
      await bench.expectProjected();
      const partitions = new Set((await bench.events()).map(({ partition }) => partition));
      expectThat('the new partitions are in use', partitions.size > ledgerEvents.partitions);
    },
  },
];
