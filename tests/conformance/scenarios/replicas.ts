import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';

// As the runtime sets it.
const SESSION_TIMEOUT_MS = 6000;

export const rebalance: readonly Scenario[] = [
  {
    promise: 'rebalance',
    title: 'a replica joins, one leaves and one is killed while lines arrive',
    async run(bench) {
      const accounts = bench.accounts(40);
      const first = await bench.join(['decide']);
      const second = await bench.join(['decide'], 2);
      const comeAndGo = async (): Promise<void> => {
        await bench.join(['decide'], 3);
        await first.stop();
        await bench.untilMembers('decide', 2);
        await second.handle.kill();
        await bench.untilMembers('decide', 1);
      };
      await bench.sendUntil(comeAndGo(), accounts);
      await bench.send(accounts);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
      await bench.untilSaid();
      await bench.expectSaid();
    },
  },
];

export const slowHandler: readonly Scenario[] = [
  {
    promise: 'slow handler',
    title: 'a batch that takes longer than the session causes no rebalance and is applied once',
    async run(bench) {
      const [held = '', ...others] = bench.accounts(20);
      await bench.join(['decide']);
      await bench.join(['decide'], 2);
      await bench.send([held, ...others]);
      await bench.untilSettled('decide');
      const before = await bench.members('decide');
      await bench.trouble(held, 'wait');
      await bench.send([held, ...others], 3);
      await bench.untilUnderWay(held);
      const since = performance.now();
      await bench.until('the session would have ended', () => performance.now() - since > SESSION_TIMEOUT_MS + 1500);
      expectEqual('members', await bench.members('decide'), before);
      await bench.noTrouble(held);
      await bench.untilSettled('decide');
      expectEqual('members', await bench.members('decide'), before);
      await bench.expectApplied('decide');
    },
  },
];

export const shutdown: readonly Scenario[] = [
  {
    promise: 'shutdown',
    title:
      'a replica that is asked to stop during a batch finishes it, commits it, says it, and leaves its group at once',
    async run(bench) {
      const [held = '', ...others] = bench.accounts(20);
      const replica = await bench.join(['decide']);
      await bench.trouble(held, 'wait');
      await bench.send([held, ...others]);
      await bench.untilUnderWay(held);
      const stopped = replica.handle.stop();
      await bench.untilAsked(replica);
      await bench.noTrouble(held);
      const { code, signal } = await stopped;
      expectEqual('how it ended', { code, signal }, { code: 0, signal: null });
      expectEqual('members', await bench.membersAtOnce('decide'), []);
      const applied = await bench.applied('decide');
      expectThat(
        'the batch that was under way is applied',
        applied.some(({ account }) => account === held),
      );
      expectEqual('rows that wait in the outbox', await bench.waitingInOutbox(), 0);
      const begun = new Set(applied.map(({ id }) => id));
      await bench.expectCommitted('decide', begun);
      const said = new Set((await bench.events()).map(({ headers }) => headers['causation-id']));
      expectEqual(
        'applied and not said',
        [...begun].filter((id) => !said.has(id)),
        [],
      );
      await bench.join(['decide']);
      await bench.untilSettled('decide');
      await bench.expectApplied('decide');
    },
  },
  {
    promise: 'shutdown',
    title: 'a call that is under way when its replica is asked to stop is finished, recorded and not made again',
    async run(bench) {
      const [held = '', ...others] = bench.accounts(10);
      const replica = await bench.join(['perform']);
      await bench.trouble(held, 'wait');
      await bench.send([held, ...others]);
      await bench.untilUnderWay(held);
      const stopped = replica.handle.stop();
      await bench.untilAsked(replica);
      await bench.noTrouble(held);
      expectEqual('exit code', (await stopped).code, 0);
      await bench.join(['perform']);
      await bench.untilSettled('perform');
      await bench.expectApplied('perform');
      expectEqual('calls for the account', (await bench.calls()).filter(({ account }) => account === held).length, 1);
    },
  },
];
