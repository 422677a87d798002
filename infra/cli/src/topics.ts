import { Command } from 'commander';
import { describeTopics, type TopicDescription, type TopicReader } from '@millrace/messaging/kafka';
import { deadLetterTopic } from '@millrace/contracts';
import { durationOf } from './arguments.ts';
import { type Act, examples } from './command.ts';
import { Misuse } from './errors.ts';
import { growCommand } from './grow.ts';
import { behindIn } from './lag.ts';
import type { Output } from './output/output.ts';
import { viewOptions } from './shop.ts';

/** Topics, who reads them, and how far they are behind. */
export function topicsCommand(act: Act): Command {
  return new Command('topics')
    .description(
      'Shows topics with their partitions, consumer groups, owners and lag; one topic with each of its partitions.',
    )
    .argument('[topic]', 'this topic only, partition by partition')
    .option('--dlq', 'also the dead-letter topics')
    .addCommand(growCommand(act))
    .addHelpText('after', examples('millrace topics', 'millrace topics order.events.v1', 'millrace topics --json'))
    .action(
      act(async ({ shop, out }, topic: string | undefined, { dlq = false }: { readonly dlq?: boolean }) => {
        const letters = shop.groups.map(({ name }) => deadLetterTopic(name).name);
        const isAboutLetters = dlq || (topic !== undefined && letters.includes(topic));
        const all = await describeTopics({ ...viewOptions(shop), topics: isAboutLetters ? letters : [] });
        const told = all.filter((each) => topic === undefined || each.topic === topic);
        if (told.length === 0) {
          const known = all.map((each) => `  ${each.topic}`).join('\n');
          throw new Misuse(`There is no topic ${topic}. There are:\n${known}`);
        }
        out.show({ topics: told }, () => {
          if (topic === undefined) showAll(out, told);
          else for (const each of told) showOne(out, each);
        });
        return 0;
      }),
    );
}

function showAll(out: Output, topics: readonly TopicDescription[]): void {
  out.table(
    [
      { title: 'topic' },
      { title: 'parts', isNumber: true },
      { title: 'records', isNumber: true },
      { title: 'group', isCut: true },
      { title: 'members', isNumber: true },
      { title: 'lag', isNumber: true },
      { title: 'behind', isNumber: true },
    ],
    topics.flatMap((topic) => {
      if (topic.problem !== undefined) return [[topic.topic, '–', '–', `(${topic.problem})`, '', '', '']];
      const records = topic.partitions.reduce((sum, { first, end }) => sum + end - first, 0);
      const readers: readonly (TopicReader | undefined)[] = topic.readers.length > 0 ? topic.readers : [undefined];
      return readers.map((reader, index) => [
        ...(index === 0 ? [topic.topic, topic.partitions.length, records] : ['', '', '']),
        ...(reader === undefined ? ['(nobody)', '', '', ''] : readerCells(reader)),
      ]);
    }),
  );
  const unwell = topics.flatMap(({ topic, partitions }) =>
    partitions
      .filter(({ inSync, replicas }) => inSync.length < replicas.length)
      .map(({ partition }) => `${topic}/${partition}`),
  );
  if (unwell.length > 0) out.line(`Replicas are missing of ${unwell.join(', ')}.`);
}

function readerCells(reader: TopicReader): readonly (string | number)[] {
  const { messages, seconds } = behindIn(reader.partitions);
  return [reader.group, reader.members.length, messages, durationOf(seconds)];
}

function showOne(out: Output, topic: TopicDescription): void {
  out.line(out.color.bold(topic.topic));
  if (topic.problem !== undefined) return out.line(`It is ${topic.problem}.`);
  out.table(
    [
      { title: 'partition', isNumber: true },
      { title: 'leader', isNumber: true },
      { title: 'replicas' },
      { title: 'in sync' },
      { title: 'first', isNumber: true },
      { title: 'end', isNumber: true },
    ],
    topic.partitions.map(({ partition, leader, replicas, inSync, first, end }) => [
      partition,
      leader,
      replicas.join(','),
      inSync.join(','),
      first,
      end,
    ]),
  );
  for (const reader of topic.readers) {
    out.line();
    out.line(`${out.color.bold(reader.group)} (${reader.state})`);
    out.table(
      [
        { title: 'partition', isNumber: true },
        { title: 'committed', isNumber: true },
        { title: 'lag', isNumber: true },
        { title: 'behind', isNumber: true },
        { title: 'owner', isCut: true },
      ],
      reader.partitions.map(({ partition, committed, messages, seconds, owner }) => [
        partition,
        committed ?? '–',
        messages,
        durationOf(seconds),
        owner === undefined ? '(nobody)' : `${owner.memberId} at ${owner.host}`,
      ]),
    );
  }
}
