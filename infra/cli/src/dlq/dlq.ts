import { Command } from 'commander';
import { type Act, examples } from '../command.ts';
import { discardCommand } from './discard.ts';
import { listCommand } from './list.ts';
import { redriveCommand } from './redrive.ts';
import { showCommand } from './show.ts';

/** Dead letters: what groups could not handle. */
export function dlqCommand(act: Act): Command {
  return new Command('dlq')
    .description(
      'Dead letters: lists and shows what consumer groups could not handle, sends it back, or lays it aside.',
    )
    .addCommand(listCommand(act))
    .addCommand(showCommand(act))
    .addCommand(redriveCommand(act))
    .addCommand(discardCommand(act))
    .addHelpText(
      'after',
      examples('millrace dlq list', 'millrace dlq redrive order.checkout/0/17 --reason "fixed in 1.4.2"'),
    );
}
