import { Command } from 'commander';
import { CannotGrow, type GrowProgress, growTopic } from '@millrace/messaging/kafka';
import { durationOf, parseCount } from './arguments.ts';
import { type Act, examples } from './command.ts';
import { CommandFailed, Misuse } from './errors.ts';
import { viewOptions } from './shop.ts';

interface Options {
  readonly partitions: number;
  readonly drainWithin?: number;
}

/** Gives a topic more partitions while the shop runs. */
export function growCommand(act: Act): Command {
  return new Command('grow')
    .description(
      'Gives a topic more partitions while the shop runs, for ever: Kafka takes none away. Orders are accepted all the while; what is said on ' +
        'the topic waits in the outboxes until every group has settled what came before, so that each key keeps its order.',
    )
    .argument('<topic>', 'such as order.events.v1')
    .requiredOption('--partitions <count>', 'how many it shall have', parseCount)
    .option(
      '--drain-within <seconds>',
      'how long the groups may take to settle what came before (default: 60)',
      parseCount,
    )
    .addHelpText('after', examples('millrace topics grow order.events.v1 --partitions 12'))
    .action(
      act(
        async ({ shop, out, by, confirm, stop }, topic: string, { partitions, drainWithin }: Options) => {
          if (!(await confirm(`Give ${topic} ${partitions} partitions? There is no way back.`))) return 1;
          let said = '';
          const grown = await growTopic({
            ...viewOptions(shop),
            topic,
            partitions,
            databases: shop.services.map((name) => ({ name, database: shop.database(name) })),
            grownBy: by,
            signal: stop,
            ...(drainWithin === undefined ? {} : { drainWithinMs: drainWithin * 1000 }),
            onProgress: (progress) => {
              const line = describe(progress);
              if (line !== said) out.line(line);
              said = line;
            },
          }).catch((error: unknown) => {
            if (!(error instanceof CannotGrow)) throw error;
            throw error.reason === 'not-more' || error.reason === 'unknown-topic'
              ? new Misuse(`${sentence(error.message)} millrace topics shows what there is.`)
              : new CommandFailed(sentence(error.message));
          });
          out.show(grown, () => {
            const { from, to, frozenMs, unnoticedBy, untold } = grown;
            out.line(
              `${topic} has ${to} partitions instead of ${from}. It was held back for ${durationOf(frozenMs / 1000)}.`,
            );
            if (unnoticedBy.length > 0) {
              out.line(`${unnoticedBy.join(', ')} has not taken over all of them yet: millrace topics ${topic}`);
            }
            if (untold.length > 0) out.line(`The relays of ${untold.join(', ')} go on within a minute.`);
          });
          return 0;
        },
        { endsItself: true },
      ),
    );
}

function describe(progress: GrowProgress): string {
  switch (progress.step) {
    case 'holding-back':
      return progress.relays === 0 ? 'Held back.' : `Holding it back: ${progress.relays} relays finish their batch.`;
    case 'draining': {
      const behind = progress.behind.map(({ group, messages }) => `${group} (${messages})`).join(', ');
      return behind === '' ? 'Every group has settled all of it.' : `Waiting for ${behind}.`;
    }
    case 'adding-partitions':
      return 'Adding partitions.';
    case 'sharing-out':
      return progress.groups.length === 0
        ? 'Every group reads all of them.'
        : `Sent again. Sharing out: ${progress.groups.join(', ')}.`;
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
