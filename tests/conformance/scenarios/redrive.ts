import { expectEqual } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { expectApplied, expectSaid } from '../world/expectations.ts';
import { sendBack } from '../world/operators.ts';

export const redrive: readonly Scenario[] = [
  {
    promise: 'redrive',
    title: 'a dead letter that two people send back at the same time, and one of them again, is applied once',
    async run(world) {
      const [refused = '', ...others] = world.accounts(20);
      await world.join(['decide']);
      await world.books.trouble(refused, 'refuse', 4);
      await world.send([refused, ...others], 4);
      await world.letters('decide', 1);
      await world.books.noTrouble(refused);
      const outcomes = (await Promise.all([sendBack(world, 'decide'), sendBack(world, 'decide')])).flat();
      await world.untilSettled('decide');
      outcomes.push(...(await sendBack(world, 'decide')));
      await world.untilSettled('decide');
      await world.send([refused, ...others]);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide');
      await world.untilSaid();
      await expectSaid(world);
      expectEqual('what came of it', outcomes.toSorted(), ['decided-before', 'decided-before', 'redriven']);
    },
  },
  {
    promise: 'redrive',
    title: 'a dead letter behind which its account went on is sent back only when somebody says that this is fine',
    async run(world) {
      const [refused = '', ...others] = world.accounts(20);
      await world.join(['decide']);
      await world.books.trouble(refused, 'refuse', 2);
      await world.send([refused, ...others], 4);
      await world.letters('decide', 1);
      await world.untilSettled('decide');
      await world.books.noTrouble(refused);
      const [first = '', late = '', ...later] = world.sent.get(refused) ?? [];
      const outcomes = [...(await sendBack(world, 'decide'))];
      await world.untilSettled('decide');
      await expectApplied(world, 'decide', new Set([late]));
      outcomes.push(...(await sendBack(world, 'decide', { isLateFine: true })));
      await world.untilSettled('decide');
      const applied = (await world.books.applied('decide')).filter(({ account }) => account === refused);
      expectEqual(
        'lines of the account',
        applied.map(({ id }) => id),
        [first, ...later, late],
      );
      expectEqual('what came of it', outcomes, ['late', 'redriven']);
    },
  },
];
