import { Command } from 'commander';
import { listParked, type ParkedListing } from '@millrace/messaging/dead-letters';
import { ageOf, durationOf, parseCount } from '../arguments.ts';
import { type Act, examples } from '../command.ts';
import type { Shop } from '../shop.ts';

interface Options {
  readonly group?: string;
  readonly key?: string;
  readonly held?: boolean;
  readonly limit: number;
}

export function parkedListCommand(act: Act): Command {
  return new Command('list')
    .description(
      'Lists parked keys, those that wait longest first. A held key waits for a person, any other for a time.',
    )
    .option('--group <name>', 'of this consumer group')
    .option('--key <key>', 'this key only')
    .option('--held', 'only those that wait for a person')
    .option('--limit <count>', 'so many of each service', parseCount, 50)
    .addHelpText(
      'after',
      examples('millrace parked list --group payment.payments', 'millrace parked list --held --json'),
    )
    .action(
      act(async ({ shop, out }, options: Options) => {
        const keys = await parkedKeys(shop, options);
        out.show({ parked: keys.map(parkedDocument) }, () => {
          if (keys.length === 0) return out.line('No key is parked.');
          const now = new Date();
          out.table(
            [
              { title: 'group' },
              { title: 'key', isCut: true },
              { title: 'messages', isNumber: true },
              { title: 'waits', isNumber: true },
              { title: 'attempts', isNumber: true },
              { title: 'next', isNumber: true },
              { title: 'error', isCut: true },
            ],
            keys.map((key) => [
              key.group,
              key.key,
              key.messages,
              ageOf(key.since, now),
              key.attempts,
              key.isHeld ? 'held' : dueIn(key.nextAt, now),
              key.failure?.error ?? '',
            ]),
          );
        });
        return 0;
      }),
    );
}

async function parkedKeys(shop: Shop, { group, key, held, limit }: Options): Promise<readonly ParkedListing[]> {
  const services = group === undefined ? shop.services : [shop.group(group).service];
  const found: ParkedListing[] = [];
  for (const service of services) {
    found.push(...(await listParked(shop.database(service), { group, key, isHeld: held, limit })));
  }
  return found.toSorted((one, other) => one.since.getTime() - other.since.getTime());
}

/** A parked key as scripts read it. */
export function parkedDocument(parked: ParkedListing): Record<string, unknown> {
  return {
    group: parked.group,
    key: parked.key,
    messages: parked.messages,
    since: parked.since,
    attempts: parked.attempts,
    isHeld: parked.isHeld,
    nextAt: parked.isHeld ? undefined : parked.nextAt,
    firstFailedAt: parked.firstFailedAt,
    lastFailedAt: parked.lastFailedAt,
    cause: parked.failure?.reason,
    error: parked.failure?.error,
  };
}

function dueIn(nextAt: Date, now: Date): string {
  const seconds = (nextAt.getTime() - now.getTime()) / 1000;
  return seconds <= 0 ? 'now' : `in ${durationOf(seconds)}`;
}
