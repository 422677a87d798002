import type { Bench } from '../bench.ts';
import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { groups } from '../service/contracts.ts';

/** Lines arrive until a replica dies at its failpoint; another goes on. Everything is applied once and said once. */
async function expectOneEffect(bench: Bench, failpoint: string): Promise<void> {
  const accounts = bench.accounts(20);
  const doomed = await bench.join(['decide'], 1, { failpoint });
  await bench.sendUntil(doomed.killed(), accounts);
  await bench.start(['decide']);
  await bench.untilSettled('decide');
  await bench.expectApplied('decide');
  await bench.untilSaid();
  await bench.expectSaid();
}

export const crash: readonly Scenario[] = [
  {
    promise: 'crash',
    title: 'before commit: a batch is worked off by the next replica',
    run: (bench) => expectOneEffect(bench, `before-commit@${groups.decide}#2`),
  },
  {
    promise: 'crash',
    title: 'after commit: what was applied is not applied again, and what it has to say is said',
    run: (bench) => expectOneEffect(bench, `after-commit@${groups.decide}#2`),
  },
  {
    promise: 'crash',
    title: 'after produce: what was said is said again under the same id',
    async run(bench) {
      await expectOneEffect(bench, 'after-produce@relay#2');
      const ids = (await bench.events()).map(({ headers }) => headers['ce_id']);
      expectThat('some event was said twice under one id', ids.length > new Set(ids).size);
    },
  },
  {
    promise: 'crash',
    title: 'before offset commit: what was settled is not applied again',
    run: (bench) => expectOneEffect(bench, `before-offset-commit@${groups.decide}`),
  },
  {
    promise: 'crash',
    title: 'between a call and its record: the call is made again with the same key',
    async run(bench) {
      const accounts = bench.accounts(20);
      const doomed = await bench.join(['perform'], 1, { failpoint: `before-commit@${groups.perform}#2` });
      await bench.sendUntil(doomed.killed(), accounts);
      await bench.start(['perform']);
      await bench.untilSettled('perform');
      await bench.expectApplied('perform');
      const calls = await bench.calls();
      expectEqual(
        'calls under another key',
        calls.filter(({ id, key }) => id !== key),
        [],
      );
      expectThat('some call was made again', calls.length > new Set(calls.map(({ id }) => id)).size);
    },
  },
];
