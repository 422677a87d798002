import { deadLetterTopic } from '@millrace/contracts';
import { expectEqual, expectThat } from '../expect.ts';
import type { Scenario } from '../scenario.ts';
import { groups } from '../service/contracts.ts';
import { expectApplied } from '../world/expectations.ts';

export const deadLetters: readonly Scenario[] = [
  {
    promise: 'dead letters',
    title: 'what is no message, and what the handler refuses, is there at once with its bytes and headers untouched',
    async run(world) {
      const [refused = '', ...others] = world.accounts(10);
      await world.books.trouble(refused, 'refuse', 2);
      await world.join(['decide']);
      const bytes = Buffer.from([0x7b, 0x00, 0xff, 0xfe, 0x22, 0x80]);
      const timeless = world.unsent();
      const good = [...others, refused].map((account) => world.record(account));
      const bad = [
        { ...world.unsent(), value: bytes },
        { ...world.unsent(), value: '{"account":"' },
        { ...world.unsent(), key: Buffer.from([0xc3, 0x28]), value: '{}' },
        { ...timeless, headers: { ...timeless.headers, ce_time: 'yesterday' } },
        world.record(refused),
      ];
      await world.topics.send([
        ...good,
        ...bad,
        world.record(refused),
        ...others.map((account) => world.record(account)),
      ]);
      await world.untilSettled('decide');
      await world.untilSaid();
      const letters = await world.topics.read(deadLetterTopic(groups.decide).name);
      expectEqual('dead letters', letters.length, bad.length);
      for (const { key, value, headers } of bad) {
        const letter = letters.find((found) => found.headers['ce_id'] === headers['ce_id']);
        expectThat('each bad record has its letter', letter !== undefined);
        expectEqual('bytes of the value', letter.value?.toString('hex'), Buffer.from(value).toString('hex'));
        expectEqual('key', letter.key, key.toString());
        const kept = Object.keys(headers).map((name) => [name, letter.headers[name]]);
        expectEqual('headers', Object.fromEntries(kept), headers);
        expectEqual('group', letter.headers['dlq-group'], groups.decide);
        expectEqual('attempts', letter.headers['dlq-attempts'], '1');
        for (const name of ['dlq-reason', 'dlq-error', 'dlq-origin-offset']) {
          expectThat(`a letter tells its ${name}`, letter.headers[name] !== undefined);
        }
      }
      await expectApplied(world, 'decide', new Set(bad.map(({ id }) => id)));
    },
  },
  {
    promise: 'dead letters',
    title: 'a message that breaks the transaction of its batch is found, and nothing else suffers',
    async run(world) {
      const [broken = '', ...others] = world.accounts(20);
      await world.books.trouble(broken, 'break', 2);
      await world.send([broken, ...others], 3);
      await world.join(['decide']);
      const [letter] = await world.letters('decide', 1);
      const culprit = world.sent.get(broken)?.[1] ?? '';
      expectEqual('the letter is the culprit', letter?.headers['ce_id'], culprit);
      await world.untilSettled('decide');
      await expectApplied(world, 'decide', new Set([culprit]));
      expectEqual('dead letters', (await world.letters('decide', 1)).length, 1);
    },
  },
  {
    promise: 'dead letters',
    title:
      'a call that fails is made again as often as allowed, then its message is a dead letter and its account goes on',
    async run(world) {
      const [failing = '', ...others] = world.accounts(10);
      await world.books.trouble(failing, 'fail', 2);
      await world.join(['perform']);
      await world.send([failing, ...others], 4);
      const [letter] = await world.letters('perform', 1);
      const culprit = world.sent.get(failing)?.[1] ?? '';
      expectEqual('the letter is the culprit', letter?.headers['ce_id'], culprit);
      expectEqual('attempts', letter?.headers['dlq-attempts'], '3');
      await world.untilSettled('perform');
      await expectApplied(world, 'perform', new Set([culprit]));
      const calls = (await world.books.calls()).filter(({ id }) => id === culprit);
      expectEqual(
        'calls, each with the same key',
        calls.map(({ key }) => key),
        [culprit, culprit, culprit],
      );
    },
  },
];
