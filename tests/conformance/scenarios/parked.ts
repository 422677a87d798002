import { expectEqual, expectThat } from '../expect.ts';
import type { Bench } from '../bench.ts';
import type { Scenario } from '../scenario.ts';
import { groups, type HandlerName } from '../service/contracts.ts';
import { retryParked } from '@millrace/messaging/dead-letters';

// More than a scenario sees.
const MANY = { attempts: 1000 };

/** Of an account that fails from this line on, nothing behind it is applied; of all others everything is. */
async function expectOnlyBehind(bench: Bench, handler: HandlerName, failing: string, line: number): Promise<void> {
  const waiting = new Set((bench.sent.get(failing) ?? []).slice(line - 1));
  await bench.until('all but one account is done', async () => {
    const applied = (await bench.applied(handler)).length;
    return applied >= [...bench.sent.values()].flat().length - waiting.size;
  });
  await bench.untilCommitted(handler);
  await bench.expectApplied(handler, waiting);
  expectEqual('parked messages', await bench.parked(handler), waiting.size);
}

export const parked: readonly Scenario[] = [
  {
    promise: 'parked keys',
    title:
      'one account fails: all others go on, and its later lines queue behind the one that failed until it is mended',
    async run(bench) {
      const [failing = '', ...others] = bench.accounts(20);
      await bench.trouble(failing, 'fail', 2);
      // Some lines behind the one that fails share its batch, others come later.
      await bench.send([failing, ...others], 4);
      await bench.join(['decide'], 1, MANY);
      await expectOnlyBehind(bench, 'decide', failing, 2);
      await bench.send([failing, ...others], 4);
      await expectOnlyBehind(bench, 'decide', failing, 2);
      await bench.noTrouble(failing);
      await bench.untilSettled('decide');
      await bench.send([failing, ...others]);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
      await bench.untilSaid();
      await bench.expectSaid();
    },
  },
  {
    promise: 'parked keys',
    title: 'for a parked account nobody is called until the call that failed is made good',
    async run(bench) {
      const [failing = '', ...others] = bench.accounts(12);
      await bench.trouble(failing, 'fail', 2);
      await bench.join(['perform'], 1, MANY);
      await bench.send([failing, ...others], 4);
      await expectOnlyBehind(bench, 'perform', failing, 2);
      const [, second = '', ...later] = bench.sent.get(failing) ?? [];
      expectEqual(
        'calls for later lines',
        (await bench.calls()).filter(({ id }) => later.includes(id)),
        [],
      );
      await bench.noTrouble(failing);
      await bench.untilSettled('perform');
      await bench.expectApplied('perform');
      const calls = (await bench.calls()).filter(({ account, id }) => account === failing && id !== second);
      expectEqual(
        'calls for the other lines',
        calls.map(({ id }) => id),
        [bench.sent.get(failing)?.[0], ...later],
      );
    },
  },
  {
    promise: 'parked keys',
    title: 'a parked account survives a restart, and what comes after it still queues',
    async run(bench) {
      const [failing = '', ...others] = bench.accounts(20);
      await bench.trouble(failing, 'fail', 1);
      const first = await bench.join(['decide'], 1, MANY);
      await bench.send([failing, ...others], 3);
      await expectOnlyBehind(bench, 'decide', failing, 1);
      await first.stop();
      await bench.send([failing, ...others], 3);
      await bench.join(['decide'], 1, MANY);
      await expectOnlyBehind(bench, 'decide', failing, 1);
      await bench.noTrouble(failing);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
    },
  },
  {
    promise: 'parked keys',
    title: 'a replica that is killed while it tries a parked line again leaves it to the other',
    async run(bench) {
      const [failing = '', ...others] = bench.accounts(20);
      await bench.trouble(failing, 'fail', 1);
      const replicas = [await bench.join(['decide'], 1, MANY), await bench.join(['decide'], 2, MANY)];
      await bench.send([failing, ...others], 3);
      await expectOnlyBehind(bench, 'decide', failing, 1);
      await bench.trouble(failing, 'wait');
      const name = await bench.untilUnderWay(failing);
      await replicas.find((replica) => replica.name === name)?.handle.kill();
      await bench.noTrouble(failing);
      await bench.send([failing, ...others]);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
      const last = (await bench.applied('decide')).findLast(({ account }) => account === failing);
      expectThat('the other replica applied it', last !== undefined && last.replica !== name);
    },
  },
  {
    promise: 'parked keys',
    title: 'a line that fails as often as it may is a dead letter, and its account flows again',
    async run(bench) {
      const [failing = '', ...others] = bench.accounts(20);
      await bench.trouble(failing, 'fail', 2);
      await bench.join(['decide'], 1, { attempts: 3 });
      await bench.send([failing, ...others], 4);
      const [letter] = await bench.letters('decide', 1);
      const culprit = bench.sent.get(failing)?.[1] ?? '';
      expectEqual('the letter', letter?.headers['ce_id'], culprit);
      expectEqual('attempts', letter?.headers['dlq-attempts'], '3');
      await bench.untilSettled('decide');
      await bench.send([failing]);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide', new Set([culprit]));
    },
  },
  {
    promise: 'parked keys',
    title: 'an account that is to be held stays where it is until a person lets it go',
    async run(bench) {
      const [failing = '', ...others] = bench.accounts(20);
      await bench.trouble(failing, 'fail', 2);
      await bench.join(['decide'], 1, { attempts: 2, then: 'hold' });
      await bench.send([failing, ...others], 4);
      await bench.until('the account is held', async () => {
        const { rows } = await bench.database.query('SELECT 1 FROM messaging.parked_key WHERE key = $1 AND held', [
          failing,
        ]);
        return rows.length > 0;
      });
      await expectOnlyBehind(bench, 'decide', failing, 2);
      await bench.noTrouble(failing);
      await retryParked(bench.database, groups.decide, failing, { by: 'the suite', reason: 'the account is mended' });
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
    },
  },
];
