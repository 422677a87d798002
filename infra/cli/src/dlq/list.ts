import { Command } from 'commander';
import { ageOf, parseCount } from '../arguments.ts';
import { type Act, examples } from '../command.ts';
import { letterCells, letterDocument } from './describe-letter.ts';
import { type Filters, loadLetters, matches, withFilters } from './selection.ts';

// A screen; the rest is counted.
const DEFAULT_LIMIT = 50;

export function listCommand(act: Act): Command {
  return withFilters(new Command('list'), 'also those that were redriven or discarded')
    .description('Lists dead letters, the newest last: those about which nothing was decided, unless told otherwise.')
    .option('--limit <count>', 'the newest so many', parseCount, DEFAULT_LIMIT)
    .addHelpText(
      'after',
      examples(
        'millrace dlq list --group order.checkout --since 2h',
        'millrace dlq list --cause handler-failed --json | jq -r ".letters[].letter"',
      ),
    )
    .action(
      act(async ({ shop, out }, filters: Filters & { readonly limit: number }) => {
        const { all = false, limit } = filters;
        const letters = (await loadLetters(shop, filters))
          .filter((each) => (all || each.decision === undefined) && matches(each.letter, filters))
          .toSorted((one, other) => one.letter.timestampMs - other.letter.timestampMs);
        const shown = letters.slice(-limit);
        out.show({ total: letters.length, letters: shown.map(letterDocument) }, () => {
          if (letters.length === 0)
            return out.line(all ? 'There are no dead letters.' : 'There are no open dead letters.');
          const now = new Date();
          out.table(
            [
              { title: 'letter' },
              { title: 'type', isCut: true },
              { title: 'key', isCut: true },
              { title: 'cause', isCut: true },
              { title: 'failed', isNumber: true },
              { title: 'redriven', isNumber: true },
              ...(all ? [{ title: 'state' }] : []),
            ],
            shown.map((each) => [
              ...letterCells(each),
              `${ageOf(each.letter.failedAt ?? new Date(each.letter.timestampMs), now)} ago`,
              each.letter.redrives,
              ...(all ? [each.decision?.decision ?? 'open'] : []),
            ]),
          );
          const hidden = letters.length - shown.length;
          if (hidden > 0) out.line(`and ${hidden} older ones: --limit ${letters.length} shows them all.`);
        });
        return 0;
      }),
    );
}
