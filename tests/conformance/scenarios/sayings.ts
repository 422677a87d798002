import { resetProjection } from '@millrace/messaging';
import type { Bench } from '../bench.ts';
import { expectEqual } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { groups } from '../service/contracts.ts';

async function balances(bench: Bench): Promise<readonly unknown[]> {
  const { rows } = await bench.database.query('SELECT account, lines, last_line FROM balance ORDER BY account');
  return rows;
}

function expected(bench: Bench): readonly unknown[] {
  return [...bench.sent]
    .map(([account, ids]) => ({ account, lines: ids.length, last_line: ids.length }))
    .sort((a, b) => (a.account < b.account ? -1 : 1));
}

export const projection: readonly Scenario[] = [
  {
    promise: 'projection',
    title: 'an emptied read model is rebuilt from the first event, whatever offsets Kafka knows',
    async run(bench) {
      const accounts = bench.accounts(20);
      await bench.join(['decide']);
      const reader = await bench.join(['project']);
      await bench.send(accounts, 5);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      await bench.untilSettled('project');
      expectEqual('balances', await balances(bench), expected(bench));
      await reader.stop();
      await bench.database.transaction(async (tx) => {
        await tx.query('TRUNCATE balance');
        await resetProjection(tx, groups.project);
      });
      await bench.join(['project']);
      await bench.send(accounts);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      await bench.untilSettled('project');
      expectEqual('balances', await balances(bench), expected(bench));
    },
  },
  {
    promise: 'projection',
    title: 'a reader that dies after it stored its model and position goes on behind them',
    async run(bench) {
      const accounts = bench.accounts(20);
      await bench.join(['decide']);
      const doomed = await bench.join(['project'], 1, { failpoint: `after-commit@${groups.project}#2` });
      await bench.sendUntil(doomed.killed(), accounts);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      // What its own inbox knows is another promise: here the position alone must do.
      await bench.database.query('DELETE FROM messaging.inbox WHERE consumer_group = $1', [groups.project]);
      await bench.start(['project']);
      await bench.untilSettled('project');
      expectEqual('balances', await balances(bench), expected(bench));
    },
  },
];

export const outbox: readonly Scenario[] = [
  {
    promise: 'outbox',
    title: 'two replicas share the sending: events are in the order of their accounts, and none is said twice',
    async run(bench) {
      const accounts = bench.accounts(40);
      await bench.join(['decide']);
      await bench.join(['decide'], 2);
      await bench.until('both relays are there', async () => {
        const { rows } = await bench.database.query(
          `SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
              WHERE locktype = 'advisory' AND granted AND d.datname = current_database() GROUP BY pid `,
        );
        return rows.length === 2;
      });
      // For as long as it takes two relays that send the same to meet.
      await bench.sendUntil(bench.untilApplied('decide', 30 * accounts.length), accounts);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      await bench.expectSaid({ repetitions: 'refused' });
    },
  },
  {
    promise: 'outbox',
    title: 'a relay is replaced when its replica is killed, and the order of every account stays',
    async run(bench) {
      const accounts = bench.accounts(40);
      const doomed = await bench.join(['decide']);
      await bench.join(['decide'], 2);
      const die = async (): Promise<void> => {
        await bench.untilApplied('decide', 5 * accounts.length);
        await doomed.handle.kill();
      };
      await bench.sendUntil(die(), accounts);
      await bench.untilSettled('decide');
      await bench.untilSaid();
      await bench.expectSaid();
    },
  },
];
