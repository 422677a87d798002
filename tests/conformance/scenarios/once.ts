import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';

export const once: readonly Scenario[] = [
  {
    promise: 'once',
    title: 'a message that comes twice in a batch and again in a later one is applied once and called for once',
    async run(bench) {
      const accounts = bench.accounts(10);
      await bench.join(['decide', 'perform']);
      const records = accounts.map((account) => bench.record(account));
      await bench.topics.send([...records, ...records]);
      await bench.untilSettled('decide');
      await bench.untilSettled('perform');
      await bench.topics.send([...records, ...accounts.map((account) => bench.record(account))]);
      await bench.untilSettled('decide');
      await bench.untilSettled('perform');
      await bench.expectApplied('decide');
      await bench.expectApplied('perform');
      expectEqual('calls', (await bench.calls()).length, 2 * accounts.length);
    },
  },
  {
    promise: 'once',
    title: 'an event that is said twice, because its relay died before it noted the acknowledgement, is applied once',
    async run(bench) {
      const accounts = bench.accounts(20);
      const doomed = await bench.join(['decide'], 1, { failpoint: 'after-produce@relay#2' });
      await bench.sendUntil(doomed.killed(), accounts);
      await Promise.all([bench.start(['decide']), bench.start(['project'])]);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      const ids = (await bench.events()).map(({ headers }) => headers['ce_id']);
      expectThat('some event was said twice under one id', ids.length > new Set(ids).size);
      await bench.untilSettled('project');
      await bench.expectProjected();
    },
  },
];
