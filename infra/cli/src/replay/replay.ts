import { Command, InvalidArgumentError } from 'commander';
import type { Database } from '@millrace/database';
import {
  cancelReplay,
  listReplays,
  pauseReplay,
  ReplayRefused,
  replayStatus,
  type ReplayStatus,
  resumeReplay,
} from '@millrace/messaging/replay';
import { parseTime } from '../arguments.ts';
import { type Act, type CommandContext, examples, type ExitCode } from '../command.ts';
import { Misuse } from '../errors.ts';
import { rebuild } from './rebuild.ts';
import { documentOf, showStatus } from './show-replay.ts';

interface Options {
  /** Undefined: from the first record. */
  readonly from?: Date | 'earliest';
  readonly swap?: boolean;
  readonly acceptLoss?: boolean;
  readonly compare?: boolean;
  readonly status?: boolean;
  readonly pause?: boolean;
  readonly resume?: boolean;
  readonly cancel?: boolean;
}

/** Rebuilds the read model of a projection beside the live one. */
export function replayCommand(act: Act): Command {
  return new Command('replay')
    .description(
      'Rebuilds the read model of a projection in a shadow while the live one keeps serving, compares the two, and with --swap\n' +
        'puts the shadow in its place. Ctrl-C pauses it; the same command goes on from there.',
    )
    .argument('[projection]', 'such as analytics.shop; without it --status tells of all')
    .option(
      '--from <earliest|time>',
      'from the first record that there is, or from a moment on (default: earliest)',
      parseFrom,
    )
    .option('--swap', 'puts the rebuilt read model in the place of the live one, in one transaction')
    .option('--accept-loss', 'swaps although something is missing in the rebuilt one')
    .option('--compare', 'compares the shadow of a replay that is under way, and starts none')
    .option('--status', 'tells how it stands and does nothing')
    .option('--pause', 'lets it rest; the shadow stays')
    .option('--resume', 'lets it read on, without waiting for it')
    .option('--cancel', 'drops the shadow')
    .addHelpText(
      'after',
      examples(
        'millrace replay analytics.shop',
        'millrace replay analytics.shop --swap',
        'millrace replay order.prices --from 2026-11-23T09:00:00Z',
        'millrace replay --status',
      ) + '\nExit code 1: live and shadow differ and were not swapped, or the replay failed.\n',
    )
    .action(
      act((context, projection: string | undefined, options: Options) => replay(context, projection, options), {
        endsItself: true,
      }),
    );
}

async function replay(context: CommandContext, projection: string | undefined, options: Options): Promise<ExitCode> {
  const { shop, out } = context;
  const ways = ['compare', 'status', 'pause', 'resume', 'cancel', 'swap'] as const;
  const [first, second] = ways.filter((name) => options[name] === true);
  if (second !== undefined) throw new Misuse(`--${first} and --${second} cannot be asked for together.`);
  if (options.acceptLoss === true && options.swap !== true) throw new Misuse('--accept-loss belongs to --swap.');
  if (projection === undefined) {
    if (first !== 'status') throw new Misuse('Which projection? Name it, or add --status to see all.');
    const all = (await Promise.all(shop.services.map((service) => listReplays(shop.database(service))))).flat();
    out.show(all.map(documentOf), () => {
      if (all.length === 0) out.line('No projection was ever replayed.');
      for (const status of all) showStatus(out, status);
    });
    return 0;
  }
  const database = shop.databaseOf(projection);
  try {
    if (first === undefined || first === 'swap' || first === 'compare') {
      const from = options.from === 'earliest' ? undefined : options.from;
      return await rebuild(context, database, {
        projection,
        from,
        isFromGiven: options.from !== undefined,
        swaps: options.swap === true,
        acceptsLoss: options.acceptLoss === true,
        starts: first !== 'compare',
      });
    }
    const status = await ask(database, projection, first);
    out.show(documentOf(status), () => showStatus(out, status));
    return status.state === 'failed' ? 1 : 0;
  } catch (error) {
    if (error instanceof ReplayRefused) throw new Misuse(`Not possible: ${error.message}.`);
    throw error;
  }
}

async function ask(
  database: Database,
  projection: string,
  what: 'status' | 'pause' | 'resume' | 'cancel',
): Promise<ReplayStatus> {
  if (what === 'pause') return pauseReplay(database, projection);
  if (what === 'resume') return resumeReplay(database, projection);
  if (what === 'cancel') return cancelReplay(database, projection);
  const status = await replayStatus(database, projection);
  if (status === undefined) throw new ReplayRefused(`${projection} was never replayed`);
  return status;
}

function parseFrom(text: string): Date | 'earliest' {
  if (text === 'earliest') return text;
  const time = parseTime(text);
  if (time.getTime() > Date.now()) throw new InvalidArgumentError('That is in the future.');
  return time;
}
