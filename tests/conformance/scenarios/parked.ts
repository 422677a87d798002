import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import type { HandlerName } from '../service/contracts.ts';
import { expectApplied, expectSaid } from '../world/expectations.ts';
import { release } from '../world/operators.ts';
import type { World } from '../world/world.ts';

// More than a scenario sees.
const MANY = { attempts: 1000 };

/** Of an account that fails from this line on, nothing behind it is applied; of all others everything is. */
async function expectOnlyBehind(world: World, handler: HandlerName, failing: string, line: number): Promise<void> {
  const waiting = new Set((world.sent.get(failing) ?? []).slice(line - 1));
  await world.until('all but one account is done', async () => {
    const applied = (await world.books.applied(handler)).length;
    return applied >= [...world.sent.values()].flat().length - waiting.size;
  });
  await world.untilCommitted(handler);
  await expectApplied(world, handler, waiting);
  expectEqual('parked messages', await world.books.parked(handler), waiting.size);
}

export const parked: readonly Scenario[] = [
  {
    promise: 'parked keys',
    title:
      'one account fails: all others go on, and its later lines queue behind the one that failed until it is mended',
    async run(world) {
      const [failing = '', ...others] = world.accounts(20);
      await world.books.trouble(failing, 'fail', 2);
      // Some lines behind the one that fails share its batch, others come later.
      await world.send([failing, ...others], 4);
      await world.join(['decide'], 1, MANY);
      await expectOnlyBehind(world, 'decide', failing, 2);
      await world.send([failing, ...others], 4);
      await expectOnlyBehind(world, 'decide', failing, 2);
      await world.books.noTrouble(failing);
      await world.untilSettled('decide');
      await world.send([failing, ...others]);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      await world.untilSaid();
      await expectSaid(world);
    },
  },
  {
    promise: 'parked keys',
    title: 'for a parked account nobody is called until the call that failed is made good',
    async run(world) {
      const [failing = '', ...others] = world.accounts(12);
      await world.books.trouble(failing, 'fail', 2);
      await world.join(['perform'], 1, MANY);
      await world.send([failing, ...others], 4);
      await expectOnlyBehind(world, 'perform', failing, 2);
      const [, second = '', ...later] = world.sent.get(failing) ?? [];
      expectEqual(
        'calls for later lines',
        (await world.books.calls()).filter(({ id }) => later.includes(id)),
        [],
      );
      await world.books.noTrouble(failing);
      await world.untilSettled('perform');
      await expectApplied(world, 'perform');
      const calls = (await world.books.calls()).filter(({ account, id }) => account === failing && id !== second);
      expectEqual(
        'calls for the other lines',
        calls.map(({ id }) => id),
        [world.sent.get(failing)?.[0], ...later],
      );
    },
  },
  {
    promise: 'parked keys',
    title: 'a parked account survives a restart, and what comes after it still queues',
    async run(world) {
      const [failing = '', ...others] = world.accounts(20);
      await world.books.trouble(failing, 'fail', 1);
      const first = await world.join(['decide'], 1, MANY);
      await world.send([failing, ...others], 3);
      await expectOnlyBehind(world, 'decide', failing, 1);
      await first.stop();
      await world.send([failing, ...others], 3);
      await world.join(['decide'], 1, MANY);
      await expectOnlyBehind(world, 'decide', failing, 1);
      await world.books.noTrouble(failing);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
    },
  },
  {
    promise: 'parked keys',
    title: 'a replica that is killed while it tries a parked line again leaves it to the other',
    async run(world) {
      const [failing = '', ...others] = world.accounts(20);
      await world.books.trouble(failing, 'fail', 1);
      const replicas = [await world.join(['decide'], 1, MANY), await world.join(['decide'], 2, MANY)];
      await world.send([failing, ...others], 3);
      await expectOnlyBehind(world, 'decide', failing, 1);
      await world.books.trouble(failing, 'wait');
      const name = await world.untilUnderWay(failing);
      await replicas.find((replica) => replica.name === name)?.handle.kill();
      await world.books.noTrouble(failing);
      await world.send([failing, ...others]);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      const last = (await world.books.applied('decide')).findLast(({ account }) => account === failing);
      expectThat('the other replica applied it', last !== undefined && last.replica !== name);
    },
  },
  {
    promise: 'parked keys',
    title: 'a line that fails as often as it may is a dead letter, and its account flows again',
    async run(world) {
      const [failing = '', ...others] = world.accounts(20);
      await world.books.trouble(failing, 'fail', 2);
      await world.join(['decide'], 1, { attempts: 3 });
      await world.send([failing, ...others], 4);
      const [letter] = await world.letters('decide', 1);
      const culprit = world.sent.get(failing)?.[1] ?? '';
      expectEqual('the letter', letter?.headers['ce_id'], culprit);
      expectEqual('attempts', letter?.headers['dlq-attempts'], '3');
      await world.untilSettled('decide');
      await world.send([failing]);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide', new Set([culprit]));
    },
  },
  {
    promise: 'parked keys',
    title: 'an account that is to be held stays where it is until a person lets it go',
    async run(world) {
      const [failing = '', ...others] = world.accounts(20);
      await world.books.trouble(failing, 'fail', 2);
      await world.join(['decide'], 1, { attempts: 2, then: 'hold' });
      await world.send([failing, ...others], 4);
      await world.until('the account is held', async () => {
        const { rows } = await world.books.database.query(
          'SELECT 1 FROM messaging.parked_key WHERE key = $1 AND held',
          [failing],
        );
        return rows.length > 0;
      });
      await expectOnlyBehind(world, 'decide', failing, 2);
      await world.books.noTrouble(failing);
      await release(world, 'decide', failing);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
    },
  },
];
