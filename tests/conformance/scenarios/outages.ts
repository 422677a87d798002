import { deadLetterTopic } from '@millrace/contracts';
import { expectEqual } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { groups } from '../service/contracts.ts';

export const brokerRestart: readonly Scenario[] = [
  {
    promise: 'broker restart',
    title: 'every broker is killed and comes back, one after the other, while lines are written and read',
    isAlone: true,
    async run(bench, { kafka }) {
      const accounts = bench.accounts(20);
      await bench.join(['decide', 'project']);
      for (const node of kafka.nodes) {
        const before = (await bench.applied('decide')).length;
        await bench.send(accounts, 4);
        await bench.untilApplied('decide', before + 1);
        await node.kill('SIGKILL');
        const away = bench.send(accounts, 4);
        await node.start();
        await away;
      }
      await bench.send(accounts, 4);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
      await bench.untilSaid();
      await bench.expectSaid();
      await bench.untilSettled('project');
      await bench.expectProjected();
    },
  },
  {
    promise: 'broker restart',
    title: 'what is decided while no broker answers waits in the outbox and is said afterwards',
    isAlone: true,
    async run(bench, { kafka }) {
      const [held = '', ...others] = bench.accounts(20);
      await bench.join(['decide']);
      await bench.send([held, ...others]);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      await bench.trouble(held, 'wait');
      await bench.send([held, ...others], 2);
      await bench.untilUnderWay(held);
      for (const node of kafka.nodes) await node.kill('SIGKILL');
      await bench.noTrouble(held);
      await bench.until('something waits in the outbox', async () => (await bench.waitingInOutbox()) > 0);
      await Promise.all(kafka.nodes.map((node) => node.start()));
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
      await bench.untilSaid();
      await bench.expectSaid();
    },
  },
];

export const databaseOutage: readonly Scenario[] = [
  {
    promise: 'database outage',
    title: 'the database is killed and comes back while lines arrive: work waits, and nothing is a dead letter',
    hasOwnPostgres: true,
    async run(bench, { postgres }) {
      const accounts = bench.accounts(20);
      await bench.join(['decide', 'project']);
      await bench.send(accounts, 3);
      await bench.untilApplied('decide', accounts.length);
      await postgres.kill();
      await bench.send(accounts, 3);
      const since = performance.now();
      await bench.until('it was away for a while', () => performance.now() - since > 1500);
      await postgres.start();
      await bench.send(accounts, 3);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
      await bench.untilSaid();
      await bench.expectSaid();
      await bench.untilSettled('project');
      expectEqual('dead letters', await bench.topics.read(deadLetterTopic(groups.decide).name), []);
    },
  },
];
