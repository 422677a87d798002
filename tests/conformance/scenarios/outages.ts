import { deadLetterTopic } from '@millrace/contracts';
import { expectEqual } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { groups } from '../service/contracts.ts';
import { expectApplied, expectProjected, expectSaid } from '../world/expectations.ts';

export const brokerRestart: readonly Scenario[] = [
  {
    promise: 'broker restart',
    title: 'every broker is killed and comes back, one after the other, while lines are written and read',
    isAlone: true,
    async run(world, { kafka }) {
      const accounts = world.accounts(20);
      await world.join(['decide', 'project']);
      for (const node of kafka.nodes) {
        const before = (await world.books.applied('decide')).length;
        await world.send(accounts, 4);
        await world.untilApplied('decide', before + 1);
        await node.kill('SIGKILL');
        const away = world.send(accounts, 4);
        await node.start();
        await away;
      }
      await world.send(accounts, 4);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      await world.untilSaid();
      await expectSaid(world);
      await world.untilSettled('project');
      await expectProjected(world);
    },
  },
  {
    promise: 'broker restart',
    title: 'what is decided while no broker answers waits in the outbox and is said afterwards',
    isAlone: true,
    async run(world, { kafka }) {
      const [held = '', ...others] = world.accounts(20);
      await world.join(['decide']);
      await world.send([held, ...others]);
      await world.untilSettled('decide');
      await world.untilSaid();
      await world.books.trouble(held, 'wait');
      await world.send([held, ...others], 2);
      await world.untilUnderWay(held);
      for (const node of kafka.nodes) await node.kill('SIGKILL');
      await world.books.noTrouble(held);
      await world.until('something waits in the outbox', async () => (await world.books.waitingInOutbox()) > 0);
      await Promise.all(kafka.nodes.map((node) => node.start()));
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      await world.untilSaid();
      await expectSaid(world);
    },
  },
];

export const databaseOutage: readonly Scenario[] = [
  {
    promise: 'database outage',
    title: 'the database is killed and comes back while lines arrive: work waits, and nothing is a dead letter',
    hasOwnPostgres: true,
    async run(world, { postgres }) {
      const accounts = world.accounts(20);
      await world.join(['decide', 'project']);
      await world.send(accounts, 3);
      await world.untilApplied('decide', accounts.length);
      await postgres.kill();
      await world.send(accounts, 3);
      await world.untilElapsed('it was away for a while', 4000);
      await postgres.start();
      await world.send(accounts, 3);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      await world.untilSaid();
      await expectSaid(world);
      await world.untilSettled('project');
      expectEqual('dead letters', await world.topics.read(deadLetterTopic(groups.decide).name), []);
    },
  },
];
