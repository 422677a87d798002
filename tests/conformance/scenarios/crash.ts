import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { groups } from '../service/contracts.ts';
import { expectApplied, expectSaid } from '../world/expectations.ts';
import type { World } from '../world/world.ts';

/** Lines arrive until a replica dies at its failpoint; another goes on. Everything is applied once and said once. */
async function expectOneEffect(world: World, failpoint: string): Promise<void> {
  const accounts = world.accounts(20);
  const doomed = await world.join(['decide'], 1, { failpoint });
  await world.sendUntil(doomed.killed(), accounts);
  await world.start(['decide']);
  await world.untilSettled('decide');
  await expectApplied(world, 'decide');
  await world.untilSaid();
  await expectSaid(world);
}

export const crash: readonly Scenario[] = [
  {
    promise: 'crash',
    title: 'before commit: a batch is worked off by the next replica',
    run: (world) => expectOneEffect(world, `before-commit@${groups.decide}#2`),
  },
  {
    promise: 'crash',
    title: 'after commit: what was applied is not applied again, and what it has to say is said',
    run: (world) => expectOneEffect(world, `after-commit@${groups.decide}#2`),
  },
  {
    promise: 'crash',
    title: 'after produce: what was said is said again under the same id',
    async run(world) {
      await expectOneEffect(world, 'after-produce@relay#2');
      const ids = (await world.events()).map(({ headers }) => headers['ce_id']);
      expectThat('some event was said twice under one id', ids.length > new Set(ids).size);
    },
  },
  {
    promise: 'crash',
    title: 'before offset commit: what was settled is not applied again',
    run: (world) => expectOneEffect(world, `before-offset-commit@${groups.decide}`),
  },
  {
    promise: 'crash',
    title: 'between a call and its record: the call is made again with the same key',
    async run(world) {
      const accounts = world.accounts(20);
      const doomed = await world.join(['perform'], 1, { failpoint: `before-commit@${groups.perform}#2` });
      await world.sendUntil(doomed.killed(), accounts);
      await world.start(['perform']);
      await world.untilSettled('perform');
      await expectApplied(world, 'perform');
      const calls = await world.books.calls();
      expectEqual(
        'calls under another key',
        calls.filter(({ id, key }) => id !== key),
        [],
      );
      expectThat('some call was made again', calls.length > new Set(calls.map(({ id }) => id)).size);
    },
  },
];
