import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { expectApplied, expectProjected } from '../world/expectations.ts';

export const once: readonly Scenario[] = [
  {
    promise: 'once',
    title: 'a message that comes twice in a batch and again in a later one is applied once and called for once',
    async run(world) {
      const accounts = world.accounts(10);
      await world.join(['decide', 'perform']);
      const records = accounts.map((account) => world.record(account));
      await world.topics.send([...records, ...records]);
      await world.untilSettled('decide');
      await world.untilSettled('perform');
      await world.topics.send([...records, ...accounts.map((account) => world.record(account))]);
      await world.untilSettled('decide');
      await world.untilSettled('perform');
      await expectApplied(world, 'decide');
      await expectApplied(world, 'perform');
      expectEqual('calls', (await world.books.calls()).length, 2 * accounts.length);
    },
  },
  {
    promise: 'once',
    title: 'an event that is said twice, because its relay died before it noted the acknowledgement, is applied once',
    async run(world) {
      const accounts = world.accounts(20);
      const doomed = await world.join(['decide'], 1, { failpoint: 'after-produce@relay#2' });
      await world.sendUntil(doomed.killed(), accounts);
      await Promise.all([world.start(['decide']), world.start(['project'])]);
      await world.untilSettled('decide');
      await world.untilSaid();
      const ids = (await world.events()).map(({ headers }) => headers['ce_id']);
      expectThat('some event was said twice under one id', ids.length > new Set(ids).size);
      await world.untilSettled('project');
      await expectProjected(world);
    },
  },
];
