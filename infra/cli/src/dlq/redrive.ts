import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { addressOf, type DeadLetter, inOrder, Redrive, type Redriven } from '@millrace/messaging/dead-letters';
import { parseRate, parseReason } from '../arguments.ts';
import { type Act, type CommandContext, examples } from '../command.ts';
import { CommandFailed, explain, Misuse } from '../errors.ts';
import { describeOutcome, isDone } from './redrive-outcome.ts';
import { chooseLetters, countOf, type Filters, type Letter, withFilters } from './selection.ts';

interface Options extends Filters {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly rate: number;
  readonly body?: string;
  readonly lateIsFine?: boolean;
  readonly again?: boolean;
}

interface Result {
  readonly letter: DeadLetter;
  readonly outcome: Redriven;
}

// Each stops the service for some milliseconds while it is queued.
const DEFAULT_PER_SECOND = 20;

export function redriveCommand(act: Act): Command {
  return withFilters(new Command('redrive'), 'every open letter')
    .description(
      'Sends dead letters back to the group that gave them up, where each is applied once, in the order of its key. A letter that would ' +
        'come after newer messages of its key is refused, with their names.',
    )
    .argument('[letters...]', '<group>/<partition>/<offset>; without any, those that the options describe')
    .option('--reason <why>', 'why, for the record; needed unless it is a dry run', parseReason)
    .option('--dry-run', 'only tells what would happen')
    .addOption(new Option('--rate <n/s>', 'at most so many').argParser(parseRate).default(DEFAULT_PER_SECOND, '20/s'))
    .option('--body <file>', 'with this body instead of its own; one letter only, - reads standard input')
    .option('--late-is-fine', 'also letters that would come after newer messages of their key, or nobody can tell')
    .option('--again', 'also letters that were sent back three times already')
    .addHelpText(
      'after',
      examples(
        'millrace dlq redrive --group order.checkout --cause handler-failed --dry-run',
        'millrace dlq redrive --group order.checkout --since 2h --reason "fixed in 1.4.2" --rate 5/s',
        'millrace dlq redrive payment.payments/0/3 --body body.json --reason "amount corrected, ticket 311"',
      ),
    )
    .action(
      act(
        async (context, addresses: readonly string[], options: Options) => {
          const { shop, out, confirm } = context;
          const { dryRun = false, reason, body: bodyFile } = options;
          if (!dryRun && reason === undefined) throw new Misuse('Why? --reason "…" is written down with each letter.');
          if (bodyFile !== undefined && addresses.length !== 1) {
            throw new Misuse('--body goes with one letter: name it as <group>/<partition>/<offset>.');
          }
          const body = bodyFile === undefined ? undefined : await readBody(bodyFile);
          const { chosen, loaded } = await chooseLetters(shop, addresses, options, 'redrive');
          if (!dryRun && !(await confirm(`Send ${countOf(chosen.length)} back to ${groupsOf(chosen)}?`))) return 1;
          const { results, failure } = await redriveAll(context, options, chosen, loaded, body);
          const done = results.filter(({ outcome }) => outcome.kind === 'redriven').length;
          const refused = results.filter(({ outcome }) => !isDone(outcome)).length;
          out.show(
            {
              dryRun,
              redriven: dryRun ? 0 : done,
              refused,
              untouched: chosen.length - results.length,
              error: failure,
              results: results.map(({ letter, outcome }) => ({ letter: addressOf(letter), outcome })),
            },
            () => {
              out.line(
                `${countOf(done)} ${dryRun ? 'would be sent back' : 'sent back'}${refused > 0 ? `, ${refused} refused` : ''}.`,
              );
            },
          );
          if (failure !== undefined) out.note(failure);
          return failure === undefined && refused === 0 ? 0 : 1;
        },
        { endsItself: true },
      ),
    );
}

/** Does what it can, and tells how far it came: what was sent back before something failed is sent back. */
async function redriveAll(
  { shop, out, stop, by }: CommandContext,
  { reason = '', dryRun = false, rate, lateIsFine: isLateFine = false, again = false }: Options,
  chosen: readonly Letter[],
  loaded: readonly Letter[],
  body: Buffer | undefined,
): Promise<{ readonly results: readonly Result[]; readonly failure: string | undefined }> {
  const results: Result[] = [];
  const { topicPrefix, from } = shop.surroundings;
  const ofGroups = Map.groupBy(inOrder(chosen.map(({ letter }) => letter)), ({ group }) => group);
  try {
    for (const [group, letters] of ofGroups) {
      const all = loaded.flatMap(({ letter }) => (letter.group === group ? [letter] : []));
      const options = { kafka: shop.kafka, database: shop.databaseOf(group), chosen: letters, all, topicPrefix };
      const redrive = await Redrive.open(options);
      try {
        for (const letter of letters) {
          if (stop.aborted) return { results, failure: undefined };
          const edit = { isLateFine, again, body };
          const outcome = dryRun
            ? await redrive.rehearse(letter, edit)
            : await redrive.send(letter, { by, reason }, edit);
          results.push({ letter, outcome });
          for (const line of describeOutcome(letter, outcome, dryRun)) out.line(line);
          if (!dryRun && outcome.kind === 'redriven') await pause(1000 / rate, stop);
        }
      } finally {
        await redrive.close();
      }
    }
    return { results, failure: undefined };
  } catch (error) {
    return { results, failure: explain(error, from) };
  }
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
}

async function readBody(file: string): Promise<Buffer> {
  try {
    if (file === '-') return await buffer(process.stdin);
    // pnpm runs scripts in the root, wherever it was called.
    return await readFile(resolve(process.env['INIT_CWD'] ?? process.cwd(), file));
  } catch (error) {
    throw new CommandFailed(`The body cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function groupsOf(chosen: readonly Letter[]): string {
  return [...new Set(chosen.map(({ letter }) => letter.group))].join(', ');
}
