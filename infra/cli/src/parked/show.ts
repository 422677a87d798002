import { Command } from 'commander';
import { headerNames, textOf } from '@millrace/contracts';
import { listParked, parkedDecisions, parkedMessages, type QueuedRow } from '@millrace/messaging/dead-letters';
import { ageOf } from '../arguments.ts';
import { type Act, examples } from '../command.ts';
import { CommandFailed } from '../errors.ts';
import { plain } from '../output/table.ts';
import { parkedDocument } from './list.ts';

export function parkedShowCommand(act: Act): Command {
  return new Command('show')
    .description('Shows one parked key: why its first message failed, what waits behind it, what people did so far.')
    .argument('<group>', 'the consumer group')
    .argument('<key>', 'the key, such as an order id')
    .addHelpText('after', examples('millrace parked show payment.payments 0199a2c4-5f0e-7a3b-9c1d-2e4f6a8b0c1d'))
    .action(
      act(async ({ shop, out }, group: string, key: string) => {
        const database = shop.databaseOf(group);
        const [parked] = await listParked(database, { group, key });
        const decisions = await parkedDecisions(database, group, key);
        if (parked === undefined) throw new CommandFailed(notParked(group, key));
        const messages = await parkedMessages(database, group, key);
        const { failure } = parked;
        out.show(
          { ...parkedDocument(parked), stack: failure?.stack, queue: messages.map(queuedDocument), decisions },
          () => {
            out.line(out.color.bold(plain(`${group} ${key}`)));
            out.entry(
              'state',
              parked.isHeld ? 'held: waits for a person' : `tried again at ${parked.nextAt.toISOString()}`,
            );
            out.entry('attempts', String(parked.attempts));
            if (parked.firstFailedAt !== undefined) out.entry('first failed', parked.firstFailedAt.toISOString());
            if (parked.lastFailedAt !== undefined) out.entry('last failed', parked.lastFailedAt.toISOString());
            if (failure !== undefined) out.entry('error', `${failure.reason}: ${failure.error}`);
            for (const { decision, by, at, reason } of decisions) {
              out.entry(decision, `by ${by} at ${at.toISOString()}: ${reason}`);
            }
            out.line();
            out.table(
              [
                { title: 'message' },
                { title: 'type', isCut: true },
                { title: 'came from' },
                { title: 'waits', isNumber: true },
              ],
              messages.map((row) => [row.messageId, typeOf(row), originOf(row), ageOf(row.parkedAt, new Date())]),
            );
            if (parked.messages > messages.length) out.line(`and ${parked.messages - messages.length} more`);
          },
        );
        return 0;
      }),
    );
}

/** What to say of a key that flows. */
export function notParked(group: string, key: string): string {
  return `${group} has not parked ${plain(key)}: millrace parked list shows what is parked.`;
}

function queuedDocument(row: QueuedRow): Record<string, unknown> {
  return {
    messageId: row.messageId,
    type: typeOf(row),
    origin: originOf(row),
    parkedAt: row.parkedAt,
    redrives: row.redrives,
    redriveOf: row.redriveOf,
    body: row.incoming.value?.toString() ?? null,
  };
}

function typeOf({ incoming }: QueuedRow): string {
  return textOf(incoming.headers[headerNames.type]) ?? '';
}

function originOf({ incoming: { topic, partition, offset } }: QueuedRow): string {
  return `${topic}/${partition}/${offset}`;
}
