import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { type PartitionReader, type TopicDescription, TopicView } from '@millrace/messaging/kafka';
import { durationOf, parseCount } from './arguments.ts';
import { type Act, examples } from './command.ts';
import type { Output } from './output/output.ts';
import { viewOptions } from './shop.ts';

interface Options {
  readonly group?: string;
  readonly watch?: boolean;
  readonly every: number;
}

/** How far a group is behind in a topic. */
interface TopicLag {
  readonly group: string;
  readonly topic: string;
  readonly messages: number;
  /** How long ago the oldest of them was appended. */
  readonly seconds: number;
  readonly members: number;
  /** Partitions that nobody reads at present. */
  readonly unowned: number;
  /** Messages fewer per second than at the look before; negative where they become more. Missing at the first look. */
  readonly caughtUpPerSecond?: number;
}

/** How far every group is behind, once or again and again. */
export function lagCommand(act: Act): Command {
  return new Command('lag')
    .description(
      'Shows how far each consumer group is behind in each topic: in messages, and in seconds since the oldest was sent.',
    )
    .option('--group <name>', 'of this consumer group')
    .option('--watch', 'looks again and again, until Ctrl-C; with --json one document per line')
    .option('--every <seconds>', 'between two looks', parseCount, 2)
    .addHelpText('after', examples('millrace lag', 'millrace lag --watch --group order.checkout'))
    .action(
      act(async ({ shop, out, stop }, { group, watch = false, every }: Options) => {
        const groups = group === undefined ? shop.groups : [shop.group(group)];
        const view = new TopicView({ ...viewOptions(shop), groups });
        try {
          let before: readonly TopicLag[] | undefined;
          do {
            const lags = compared(lagsOf(await view.look()), before, every);
            const document = { at: new Date(), lags };
            if (watch) out.showNext(document, () => showAgain(out, lags));
            else out.show(document, () => showLags(out, lags));
            before = lags;
          } while (watch && (await sleep(every * 1000, true, { signal: stop })));
          return 0;
        } finally {
          await view.close();
        }
      }),
    );
}

/** How far a group is behind in partitions: messages of all of them, and seconds to a tenth since the oldest was appended. */
export function behindIn(partitions: readonly PartitionReader[]): Pick<TopicLag, 'messages' | 'seconds'> {
  return {
    messages: partitions.reduce((sum, { messages }) => sum + messages, 0),
    seconds: Math.round(Math.max(0, ...partitions.map(({ seconds }) => seconds)) * 10) / 10,
  };
}

function lagsOf(topics: readonly TopicDescription[]): readonly TopicLag[] {
  return topics
    .flatMap(({ topic, readers }) =>
      readers.map(({ group, members, partitions }) => ({
        group,
        topic,
        ...behindIn(partitions),
        members: members.length,
        unowned: partitions.filter(({ owner }) => owner === undefined).length,
      })),
    )
    .toSorted((one, other) => one.group.localeCompare(other.group) || one.topic.localeCompare(other.topic));
}

function compared(
  lags: readonly TopicLag[],
  before: readonly TopicLag[] | undefined,
  everySeconds: number,
): readonly TopicLag[] {
  return lags.map((lag) => {
    const earlier = before?.find(({ group, topic }) => group === lag.group && topic === lag.topic);
    if (earlier === undefined) return lag;
    return { ...lag, caughtUpPerSecond: Math.round((earlier.messages - lag.messages) / everySeconds) };
  });
}

function showAgain(out: Output, lags: readonly TopicLag[]): void {
  out.clear();
  out.line(`${new Date().toLocaleTimeString('en-GB')}  (Ctrl-C ends)`);
  showLags(out, lags);
}

function showLags(out: Output, lags: readonly TopicLag[]): void {
  const isRepeated = lags.some(({ caughtUpPerSecond }) => caughtUpPerSecond !== undefined);
  out.table(
    [
      { title: 'group' },
      { title: 'topic' },
      { title: 'lag', isNumber: true },
      { title: 'behind', isNumber: true },
      { title: 'members', isNumber: true },
      ...(isRepeated ? [{ title: 'per second', isNumber: true }] : []),
    ],
    lags.map(({ group, topic, messages, seconds, members, unowned, caughtUpPerSecond = 0 }) => [
      group,
      topic,
      messages,
      durationOf(seconds),
      unowned > 0 ? `${members} (${unowned} unread)` : members,
      ...(isRepeated
        ? [caughtUpPerSecond === 0 ? '' : `${caughtUpPerSecond > 0 ? '-' : '+'}${Math.abs(caughtUpPerSecond)}`]
        : []),
    ]),
  );
}
