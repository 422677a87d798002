import { Command } from 'commander';
import { type Act, examples } from '../command.ts';
import { retryCommand, skipCommand } from './decide.ts';
import { parkedListCommand } from './list.ts';
import { parkedShowCommand } from './show.ts';

/** Parked keys: what waits behind a message that failed. */
export function parkedCommand(act: Act): Command {
  return new Command('parked')
    .description(
      'Parked keys: lists and shows what waits behind a message that failed, tries it again now, or skips it.',
    )
    .addCommand(parkedListCommand(act))
    .addCommand(parkedShowCommand(act))
    .addCommand(retryCommand(act))
    .addCommand(skipCommand(act))
    .addHelpText('after', examples('millrace parked list --held'));
}
