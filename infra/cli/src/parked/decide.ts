import { Command } from 'commander';
import { retryParked, skipParked } from '@millrace/messaging/dead-letters';
import { parseReason } from '../arguments.ts';
import { type Act, examples } from '../command.ts';
import { CommandFailed } from '../errors.ts';
import { plain } from '../output/table.ts';
import { notParked } from './show.ts';

interface Options {
  readonly reason: string;
}

/** Lets a parked key be tried again now. */
export function retryCommand(act: Act): Command {
  return aboutKey('retry', 'Tries the first message of a parked key again now, held or not.')
    .addHelpText('after', examples('millrace parked retry payment.payments 0199a2c4-… --reason "the provider is back"'))
    .action(
      act(async ({ shop, out, by }, group: string, key: string, { reason }: Options) => {
        if (!(await retryParked(shop.databaseOf(group), group, key, { by, reason })))
          throw new CommandFailed(notParked(group, key));
        out.show({ group, key, outcome: 'retried' }, () => out.line(plain(`${key} is tried again now.`)));
        return 0;
      }),
    );
}

/** Gives up the first message of a parked key. */
export function skipCommand(act: Act): Command {
  return aboutKey('skip', 'Moves the first message of a parked key to the dead letters; the next one is tried at once.')
    .addHelpText(
      'after',
      examples('millrace parked skip payment.payments 0199a2c4-… --reason "its order was cancelled"'),
    )
    .action(
      act(async ({ shop, out, by, confirm }, group: string, key: string, { reason }: Options) => {
        const database = shop.databaseOf(group);
        if (!(await confirm(`Move the first parked message of ${plain(key)} to ${group}.dlq?`))) return 1;
        const messageId = await skipParked(database, group, key, { by, reason });
        if (messageId === undefined) throw new CommandFailed(notParked(group, key));
        out.show({ group, key, outcome: 'skipped', messageId }, () =>
          out.line(`${messageId} goes to the dead letters: millrace dlq list --group ${group} --key ${plain(key)}`),
        );
        return 0;
      }),
    );
}

function aboutKey(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<group>', 'the consumer group')
    .argument('<key>', 'the key, such as an order id')
    .requiredOption('--reason <why>', 'why, for the record', parseReason);
}
