import { Command } from 'commander';
import { addressOf, discard } from '@millrace/messaging/dead-letters';
import { parseReason } from '../arguments.ts';
import { type Act, examples } from '../command.ts';
import { chooseLetters, countOf, type Filters, withFilters } from './selection.ts';

interface Options extends Filters {
  readonly reason: string;
}

export function discardCommand(act: Act): Command {
  return withFilters(new Command('discard'), 'every open letter')
    .description('Lays dead letters aside: they are open no more, and stay in their topic until that forgets them.')
    .argument('[letters...]', '<group>/<partition>/<offset>; without any, those that the options describe')
    .requiredOption('--reason <why>', 'why, for the record', parseReason)
    .addHelpText(
      'after',
      examples('millrace dlq discard order.checkout/0/17 --reason "the customer was called, order 4711 replaces it"'),
    )
    .action(
      act(
        async ({ shop, out, by, confirm, stop }, addresses: readonly string[], options: Options) => {
          const { chosen } = await chooseLetters(shop, addresses, options, 'discard');
          if (!(await confirm(`Lay ${countOf(chosen.length)} aside?`))) return 1;
          const results: { readonly letter: string; readonly outcome: string }[] = [];
          for (const { letter } of chosen) {
            if (stop.aborted) break;
            const before = await discard(shop.databaseOf(letter.group), letter, { by, reason: options.reason });
            results.push({
              letter: addressOf(letter),
              outcome: before === undefined ? 'discarded' : `${before.decision} before, by ${before.by}`,
            });
          }
          const discarded = results.filter(({ outcome }) => outcome === 'discarded').length;
          out.show({ discarded, results }, () => {
            for (const { letter, outcome } of results) out.line(`${letter}  ${outcome}`);
            out.line(`${countOf(discarded)} laid aside.`);
          });
          return results.some(({ outcome }) => outcome.startsWith('redriven')) ? 1 : 0;
        },
        { endsItself: true },
      ),
    );
}
