import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@millrace/database';
import {
  compareReplay,
  differencesOf,
  isOver,
  pauseReplay,
  replayStatus,
  type ReplayStatus,
  startReplay,
  swapReplay,
} from '@millrace/messaging/replay';
import type { CommandContext, ExitCode } from '../command.ts';
import { CommandFailed, Misuse } from '../errors.ts';
import { ProgressLine } from '../output/progress-line.ts';
import { documentOf, percentOf, progressOf, showComparison, showCompleteness } from './show-replay.ts';

// As often as the service notes its progress.
const LOOK_EVERY_MS = 500;

// A replica takes a replay within a second.
const TAKEN_WITHIN_MS = 10_000;

// How long Ctrl-C waits for the service to let go; it does so in any case.
const PAUSED_WITHIN_MS = 4_000;

export interface Rebuilding {
  readonly projection: string;
  readonly from: Date | undefined;
  readonly isFromGiven: boolean;
  readonly swaps: boolean;
  readonly acceptsLoss: boolean;
  /** Starts a replay where none is under way. */
  readonly starts: boolean;
}

/** Ctrl-C. */
class Interrupted extends Error {}

/** Starts a replay or goes on with the one that is under way, follows it until it has caught up, compares, and swaps if asked to. */
export async function rebuild(context: CommandContext, database: Database, wanted: Rebuilding): Promise<ExitCode> {
  const { out } = context;
  const { projection } = wanted;
  await begin(context, database, wanted);
  try {
    await compareReplay(database, projection);
    const compared = await follow(context, database, projection, ({ comparison }) => comparison !== undefined);
    const { comparison } = compared;
    if (comparison === undefined) throw new CommandFailed(endOf(compared));
    const differences = differencesOf(comparison);
    const swapped = wanted.swaps ? await swap(context, database, wanted) : undefined;
    const last = swapped ?? (await pauseReplay(database, projection));
    out.show({ ...documentOf(last), comparison, differences }, () => {
      showComparison(out, comparison);
      out.line();
      out.line(
        differences === 0
          ? 'Live and shadow are the same.'
          : `Live and shadow differ in ${differences.toLocaleString('en')} rows.`,
      );
      showCompleteness(out, last);
      out.line(
        swapped === undefined
          ? `The shadow stays as it is. Add --swap to put it in the place of the live one, or --cancel to drop it.`
          : `The rebuilt read model is the live one. The tables of before are in the schema ${beforeOf(projection)}, until the next replay.`,
      );
    });
    return swapped !== undefined || differences === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    await pauseAtInterrupt(context, database, projection);
    return 1;
  }
}

async function begin({ out, by }: CommandContext, database: Database, wanted: Rebuilding): Promise<void> {
  const { projection, from, acceptsLoss } = wanted;
  const present = await replayStatus(database, projection);
  if (present === undefined || isOver(present)) {
    if (!wanted.starts) throw new Misuse(`No replay of ${projection} is under way. Without --compare one is started.`);
    await startReplay(database, { projection, from, askedBy: by, acceptsLoss });
    return;
  }
  if (wanted.isFromGiven && present.from?.getTime() !== from?.getTime()) {
    const began = present.from === undefined ? 'the first record' : present.from.toISOString();
    throw new CommandFailed(
      `A replay of ${projection} from ${began} is under way: it goes on without --from, and --cancel drops it.`,
    );
  }
  out.note(`Goes on with the replay that ${present.askedBy} asked for at ${present.askedAt.toISOString()}.`);
}

/** Shows the progress until it is `enough`, or the replay is over. */
async function follow(
  { out, stop }: CommandContext,
  database: Database,
  projection: string,
  enough: (status: ReplayStatus) => boolean,
): Promise<ReplayStatus> {
  const line = new ProgressLine(process.stderr);
  const begunAt = performance.now();
  let isWarned = false;
  try {
    for (;;) {
      const status = await replayStatus(database, projection);
      if (status === undefined) throw new CommandFailed(`The replay of ${projection} is gone.`);
      if (enough(status) || isOver(status)) {
        line.show(progressOf(status));
        return status;
      }
      if (stop.aborted) throw new Interrupted();
      line.show(progressOf(status));
      if (!status.isHeld && !isWarned && performance.now() - begunAt > TAKEN_WITHIN_MS) {
        isWarned = true;
        line.end();
        out.note(`No replica of the service has taken it yet. Is it running? It will be taken when one is.`);
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
    }
  } finally {
    line.end();
  }
}

async function swap(context: CommandContext, database: Database, wanted: Rebuilding): Promise<ReplayStatus> {
  const { projection, acceptsLoss } = wanted;
  await swapReplay(database, projection, { acceptsLoss });
  const status = await follow(context, database, projection, ({ wish }) => wish !== 'swap');
  if (status.state === 'swapped') return status;
  if (isOver(status)) throw new CommandFailed(endOf(status));
  await pauseReplay(database, projection);
  if (status.losses.length === 0)
    throw new CommandFailed(`Not swapped: ${status.problem ?? 'somebody asked for something else'}.`);
  throw new CommandFailed(
    `Not swapped, because something is missing in the rebuilt read model:\n${status.losses.map((loss) => `  ${loss}`).join('\n')}\n` +
      'Add --accept-loss if that is all right. The shadow stays; --cancel drops it.',
  );
}

async function pauseAtInterrupt({ out }: CommandContext, database: Database, projection: string): Promise<void> {
  const asked = await replayStatus(database, projection);
  if (asked === undefined || isOver(asked)) return;
  await pauseReplay(database, projection);
  const deadline = performance.now() + PAUSED_WITHIN_MS;
  let status = await replayStatus(database, projection);
  while (status?.isHeld === true && performance.now() < deadline) {
    await sleep(LOOK_EVERY_MS / 5);
    status = await replayStatus(database, projection);
  }
  out.note(
    `Paused at ${status === undefined ? 0 : percentOf(status)}%. The same command goes on from there; --cancel drops it.`,
  );
}

function endOf({ projection, state, problem }: ReplayStatus): string {
  if (state === 'failed') return `The replay of ${projection} failed: ${problem ?? 'nobody noted why'}.`;
  return `The replay of ${projection} was ${state} by somebody else.`;
}

function beforeOf(projection: string): string {
  return `replay_${projection.replaceAll('.', '_')}_before`;
}
