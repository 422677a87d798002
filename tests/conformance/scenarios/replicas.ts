import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import type { HandlerName } from '../service/contracts.ts';
import { expectApplied, expectCommitted, expectSaid } from '../world/expectations.ts';
import { heldUp } from '../world/held-up.ts';
import type { World } from '../world/world.ts';

// As the runtime sets it.
const SESSION_TIMEOUT_MS = 6000;

/** A replica is asked to stop while it works on a line of one of so many accounts, which it answers, and ends well. */
async function expectGoodEnd(world: World, handler: HandlerName, accounts: number): Promise<string> {
  const { replica, held } = await heldUp(world, handler, { accounts, lines: 1 });
  const stopped = replica.handle.stop();
  await world.untilAsked(replica);
  await world.books.noTrouble(held);
  const { code, signal } = await stopped;
  expectEqual('how it ended', { code, signal }, { code: 0, signal: null });
  return held;
}

export const rebalance: readonly Scenario[] = [
  {
    promise: 'rebalance',
    title: 'a replica joins, one leaves and one is killed while lines arrive',
    async run(world) {
      const accounts = world.accounts(40);
      const first = await world.join(['decide']);
      const second = await world.join(['decide'], 2);
      const comeAndGo = async (): Promise<void> => {
        await world.join(['decide'], 3);
        await first.stop();
        await world.untilMembers('decide', 2);
        await second.handle.kill();
        await world.untilMembers('decide', 1);
      };
      await world.sendUntil(comeAndGo(), accounts);
      await world.send(accounts);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      await world.untilSaid();
      await expectSaid(world);
    },
  },
];

export const slowHandler: readonly Scenario[] = [
  {
    promise: 'slow handler',
    title: 'a batch that takes longer than the session causes no rebalance and is applied once',
    async run(world) {
      const [held = '', ...others] = world.accounts(20);
      await world.join(['decide']);
      await world.join(['decide'], 2);
      await world.send([held, ...others]);
      await world.untilSettled('decide');
      const before = await world.groups.members('decide');
      await world.books.trouble(held, 'wait');
      await world.send([held, ...others], 3);
      await world.untilUnderWay(held);
      await world.untilElapsed('the session would have ended', SESSION_TIMEOUT_MS + 4000);
      expectEqual('members', await world.groups.members('decide'), before);
      await world.books.noTrouble(held);
      await world.untilSettled('decide');
      expectEqual('members', await world.groups.members('decide'), before);
      await expectApplied(world, 'decide');
    },
  },
];

export const shutdown: readonly Scenario[] = [
  {
    promise: 'shutdown',
    title:
      'a replica that is asked to stop during a batch finishes it, commits it, says it, and leaves its group at once',
    async run(world) {
      const held = await expectGoodEnd(world, 'decide', 20);
      expectEqual('members', await world.groups.membersAtOnce('decide'), []);
      const applied = await world.books.applied('decide');
      expectThat(
        'the batch that was under way is applied',
        applied.some(({ account }) => account === held),
      );
      expectEqual('rows that wait in the outbox', await world.books.waitingInOutbox(), 0);
      const begun = new Set(applied.map(({ id }) => id));
      await expectCommitted(world, 'decide', begun);
      const said = new Set((await world.events()).map(({ headers }) => headers['causation-id']));
      expectEqual(
        'applied and not said',
        [...begun].filter((id) => !said.has(id)),
        [],
      );
      await world.join(['decide']);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
    },
  },
  {
    promise: 'shutdown',
    title: 'a call that is under way when its replica is asked to stop is finished, recorded and not made again',
    async run(world) {
      const held = await expectGoodEnd(world, 'perform', 10);
      await world.join(['perform']);
      await world.untilSettled('perform');
      await expectApplied(world, 'perform');
      expectEqual(
        'calls for the account',
        (await world.books.calls()).filter(({ account }) => account === held).length,
        1,
      );
    },
  },
];
