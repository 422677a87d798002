import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { ledgerEvents } from '../service/contracts.ts';
import { expectApplied, expectProjected } from '../world/expectations.ts';
import { heldUp } from '../world/held-up.ts';
import { growEvents } from '../world/operators.ts';

export const order: readonly Scenario[] = [
  {
    promise: 'order',
    title: 'two replicas apply the lines of every account in order, batch after batch',
    async run(world) {
      const accounts = world.accounts(40);
      await world.join(['decide']);
      await world.join(['decide'], 2);
      for (let burst = 0; burst < 4; burst++) {
        // Several lines of an account in one request, and more while the first are worked on.
        await world.topics.send([...accounts, ...accounts, ...accounts].map((account) => world.record(account)));
        await world.send(accounts, 2);
      }
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      const replicas = new Set((await world.books.applied('decide')).map(({ replica }) => replica));
      expectEqual('both replicas worked', replicas.size, 2);
    },
  },
  {
    promise: 'order',
    title: 'what arrives while a batch is held up does not overtake it',
    async run(world) {
      const { held, others } = await heldUp(world, 'decide', { accounts: 12, lines: 3 });
      await world.send([held, ...others], 5);
      await world.untilElapsed('they have arrived', 2000);
      await world.books.noTrouble(held);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
    },
  },
  {
    promise: 'order',
    title: 'the outside world is called for one line of an account after the other',
    async run(world) {
      const [slow = '', ...others] = world.accounts(12);
      const accounts = [slow, ...others];
      await world.send(accounts, 3);
      await world.books.trouble(slow, 'wait', 4);
      await world.join(['perform']);
      await world.send(accounts);
      await world.untilUnderWay(slow);
      await world.send(accounts, 6);
      await world.untilApplied('perform', 10 * others.length);
      await world.books.noTrouble(slow);
      await world.untilSettled('perform');
      await expectApplied(world, 'perform');
      const calls = await world.books.calls();
      for (const account of accounts) {
        const own = calls.filter((call) => call.account === account);
        expectEqual(
          'calls are in order',
          own.map(({ id }) => id),
          world.sent.get(account),
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
    async run(world) {
      const accounts = world.accounts(40);
      await world.join(['decide']);
      await world.join(['project']);
      await world.sendUntil(growEvents(world, 2 * ledgerEvents.partitions), accounts);
      await world.send(accounts, 2);
      await world.untilSettled('decide');
      await world.untilSaid();
      await world.untilSettled('project');
      await expectProjected(world);
      const partitions = new Set((await world.events()).map(({ partition }) => partition));
      expectThat('the new partitions are in use', partitions.size > ledgerEvents.partitions);
    },
  },
  {
    promise: 'order',
    title: 'while a reader is behind, no partitions are added to its topic, and what is said meanwhile waits',
    async run(world) {
      const [held = '', ...others] = world.accounts(20);
      await world.join(['decide']);
      await world.send([held, ...others], 3);
      await world.untilSettled('decide');
      await world.untilSaid();
      await world.books.trouble(held, 'wait');
      await world.join(['project']);
      await world.untilUnderWay(held);
      const steps = new Set<string>();
      const workOn = async (): Promise<void> => {
        await world.until('no relay sends', () => steps.has('draining') || steps.has('adding-partitions'));
        await world.send(others, 2);
        await world.untilSettled('decide');
        await world.untilElapsed('a relay would have sent', 3000);
        expectThat('no partitions are added while the reader is behind', !steps.has('adding-partitions'));
        expectEqual('events said meanwhile', (await world.events()).length - 3 * (others.length + 1), 0);
        await world.books.noTrouble(held);
      };
      await Promise.all([growEvents(world, 2 * ledgerEvents.partitions, (step) => void steps.add(step)), workOn()]);
      await world.send([held, ...others]);
      await world.untilSettled('decide');
      await world.untilSaid();
      await world.untilSettled('project');
      await expectProjected(world);
    },
  },
];
