import { expectEqual } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { ledgerCommands } from '../service/contracts.ts';
import { expectApplied } from '../world/expectations.ts';
import { heldUp } from '../world/held-up.ts';

export const redelivery: readonly Scenario[] = [
  {
    promise: 'redelivery',
    title: 'what was sent before the group first came is applied',
    async run(world) {
      const accounts = world.accounts(20);
      await world.send(accounts, 3);
      await world.join(['decide']);
      await world.send(accounts);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
    },
  },
  {
    promise: 'redelivery',
    title: 'what a killed replica had received and not settled is applied by the next one',
    async run(world) {
      const { replica, held } = await heldUp(world, 'decide', { accounts: 20, lines: 4 });
      // Several times the time after which offsets are committed: the replica may stand still for some of it.
      await world.untilElapsed('a commit would have been made', 3000);
      await replica.handle.kill();
      await world.books.noTrouble(held);
      await world.start(['decide']);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
    },
  },
  {
    promise: 'redelivery',
    title: 'a slow call holds back the offsets behind it, and is made again when its replica is killed',
    async run(world) {
      const { replica, held, others } = await heldUp(world, 'perform', { accounts: 60, lines: 2 });
      await world.untilApplied('perform', 2 * others.length);
      await world.until(
        'all other partitions are committed',
        async () => (await world.groups.openPartitions('perform')) <= 1,
      );
      await replica.handle.kill();
      await world.books.noTrouble(held);
      await world.start(['perform']);
      await world.untilSettled('perform');
      await expectApplied(world, 'perform');
    },
  },
  {
    promise: 'redelivery',
    title: 'offsets that are put back to zero have no effect: nothing is applied, called for or said again',
    async run(world) {
      const accounts = world.accounts(20);
      const first = await world.join(['decide', 'perform']);
      await world.send(accounts, 5);
      await world.untilSettled('decide');
      await world.untilSettled('perform');
      await world.untilSaid();
      const calls = await world.books.calls();
      await first.stop();
      for (const handler of ['decide', 'perform'] as const) {
        // A farewell that came too late for the broker is made up for when the session ends.
        await world.untilMembers(handler, 0);
        await world.groups.forgetOffsets(handler);
      }
      expectEqual(
        'partitions to be read again',
        await world.groups.openPartitions('decide'),
        new Set((await world.topics.read(ledgerCommands.name)).map(({ partition }) => partition)).size,
      );
      await world.join(['decide', 'perform']);
      await world.untilSettled('decide');
      await world.untilSettled('perform');
      await world.untilSaid();
      await expectApplied(world, 'decide');
      await expectApplied(world, 'perform');
      expectEqual('calls', await world.books.calls(), calls);
      // Both groups say something about each line.
      expectEqual('events', (await world.events()).length, 2 * 5 * accounts.length);
    },
  },
];
