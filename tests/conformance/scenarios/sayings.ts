import { resetProjection } from '@millrace/messaging';
import { expectEqual } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { groups } from '../service/contracts.ts';
import { expectSaid } from '../world/expectations.ts';
import type { World } from '../world/world.ts';

async function balances(world: World): Promise<readonly unknown[]> {
  const { rows } = await world.books.database.query('SELECT account, lines, last_line FROM balance ORDER BY account');
  return rows;
}

function expected(world: World): readonly unknown[] {
  return [...world.sent]
    .map(([account, ids]) => ({ account, lines: ids.length, last_line: ids.length }))
    .sort((a, b) => (a.account < b.account ? -1 : 1));
}

export const projection: readonly Scenario[] = [
  {
    promise: 'projection',
    title: 'an emptied read model is rebuilt from the first event, whatever offsets Kafka knows',
    async run(world) {
      const accounts = world.accounts(20);
      await world.join(['decide']);
      const reader = await world.join(['project']);
      await world.send(accounts, 5);
      await world.untilSettled('decide');
      await world.untilSaid();
      await world.untilSettled('project');
      expectEqual('balances', await balances(world), expected(world));
      await reader.stop();
      await world.books.database.transaction(async (tx) => {
        await tx.query('TRUNCATE balance');
        await resetProjection(tx, groups.project);
      });
      await world.join(['project']);
      await world.send(accounts);
      await world.untilSettled('decide');
      await world.untilSaid();
      await world.untilSettled('project');
      expectEqual('balances', await balances(world), expected(world));
    },
  },
  {
    promise: 'projection',
    title: 'a reader that dies after it stored its model and position goes on behind them',
    async run(world) {
      const accounts = world.accounts(20);
      await world.join(['decide']);
      // Not at once: a partition whose position was stored and did not move since could not tell where the reader goes on.
      const doomed = await world.join(['project'], 1, { failpoint: `after-commit@${groups.project}#4` });
      await world.sendUntil(doomed.killed(), accounts);
      await world.untilSettled('decide');
      await world.untilSaid();
      // What its own inbox knows is another promise: here the position alone must do.
      await world.books.database.query('DELETE FROM messaging.inbox WHERE consumer_group = $1', [groups.project]);
      await world.start(['project']);
      await world.untilSettled('project');
      expectEqual('balances', await balances(world), expected(world));
    },
  },
];

export const outbox: readonly Scenario[] = [
  {
    promise: 'outbox',
    title: 'two replicas share the sending: events are in the order of their accounts, and none is said twice',
    async run(world) {
      const accounts = world.accounts(40);
      await world.join(['decide']);
      await world.join(['decide'], 2);
      await world.until('both relays are there', async () => {
        const { rows } = await world.books.database.query(
          `SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
              WHERE locktype = 'advisory' AND granted AND d.datname = current_database() GROUP BY pid `,
        );
        return rows.length === 2;
      });
      // For as long as it takes two relays that send the same to meet.
      await world.sendUntil(world.untilApplied('decide', 30 * accounts.length), accounts);
      await world.untilSettled('decide');
      await world.untilSaid();
      await expectSaid(world, { repetitions: 'refused' });
    },
  },
  {
    promise: 'outbox',
    title: 'a relay is replaced when its replica is killed, and the order of every account stays',
    async run(world) {
      const accounts = world.accounts(40);
      const doomed = await world.join(['decide']);
      await world.join(['decide'], 2);
      const die = async (): Promise<void> => {
        await world.untilApplied('decide', 5 * accounts.length);
        await doomed.handle.kill();
      };
      await world.sendUntil(die(), accounts);
      await world.untilSettled('decide');
      await world.untilSaid();
      await expectSaid(world);
    },
  },
];
