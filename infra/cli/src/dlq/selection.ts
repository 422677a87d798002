import { type Command, Option } from 'commander';
import {
  addressOf,
  type DeadLetter,
  type LetterDecision,
  LetterDecisions,
  parseAddress,
  readLetters,
} from '@millrace/messaging/dead-letters';
import { parseTime } from '../arguments.ts';
import { CommandFailed, Misuse } from '../errors.ts';
import type { Shop } from '../shop.ts';

/** Which letters are meant, as the options of every command about letters say it. */
export interface Filters {
  readonly group?: readonly string[];
  readonly key?: string;
  readonly type?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly all?: boolean;
}

/** A letter, and what was decided about it; undefined while it is open. */
export interface Letter {
  readonly letter: DeadLetter;
  readonly decision: LetterDecision | undefined;
}

/** The options of `Filters`; `all` says what `--all` means to the command. */
export function withFilters(command: Command, all: string): Command {
  return command
    .addOption(
      new Option('--group <name>', 'of this consumer group; may be given several times').argParser(
        (name: string, before: readonly string[] | undefined) => [...(before ?? []), name],
      ),
    )
    .option('--key <key>', 'of this key, such as an order id')
    .option('--type <type>', 'of this message type: CapturePayment, or millrace.CapturePayment.v1')
    .option('--error <text>', 'whose error contains this text, in capitals or not')
    .option('--cause <slug>', 'given up for this reason, such as handler-failed or schema-violation')
    .option('--since <time>', 'given up since then: 2026-11-23T09:00, or 15m, 2h, 7d ago', parseTime)
    .option('--until <time>', 'given up until then', parseTime)
    .option('--all', all);
}

/** Whether anything at all was said about which letters are meant. */
export function isNarrowed({ group, key, type, error, cause, since, until }: Filters): boolean {
  return [group, key, type, error, cause, since, until].some((each) => each !== undefined);
}

/** Whether a letter is one of those meant. */
export function matches(letter: DeadLetter, { group, key, type, error, cause, since, until }: Filters): boolean {
  const at = letter.failedAt ?? new Date(letter.timestampMs);
  return (
    (group === undefined || group.includes(letter.group)) &&
    (key === undefined || letter.record.key?.toString() === key) &&
    (type === undefined || letter.type === type || typeNameOf(letter) === type) &&
    (error === undefined || letter.error.toLowerCase().includes(error.toLowerCase())) &&
    (cause === undefined || letter.reason === cause) &&
    (since === undefined || at >= since) &&
    (until === undefined || at <= until)
  );
}

/** `CapturePayment` of `millrace.CapturePayment.v1`; empty where a letter has no type. */
export function typeNameOf({ type = '' }: Pick<DeadLetter, 'type'>): string {
  return /^millrace\.([^.]+)\.v\d+$/.exec(type)?.[1] ?? type;
}

/** All letters of the groups that the filters name, of all groups if they name none, with what was decided about each. */
export async function loadLetters(shop: Shop, { group }: Filters): Promise<readonly Letter[]> {
  const groups = group === undefined ? shop.groups : group.map((name) => shop.group(name));
  const letters = await readLetters(
    shop.kafka,
    groups.map(({ name }) => name),
    { topicPrefix: shop.surroundings.topicPrefix },
  );
  const decisions = new Map<string, LetterDecisions>();
  for (const name of new Set(letters.map((letter) => letter.group))) {
    decisions.set(name, await LetterDecisions.load(shop.databaseOf(name), name));
  }
  return letters.map((letter) => ({ letter, decision: decisions.get(letter.group)?.of(letter) }));
}

/** The group of each address that was named. @throws {Misuse} one is no address, or of no group. */
export function groupsNamed(shop: Shop, addresses: readonly string[]): readonly string[] {
  const groups = addresses.map((text) => {
    const address = parseAddress(text);
    if (address === undefined) {
      throw new Misuse(
        `${text} names no dead letter. Expected <group>/<partition>/<offset>, as millrace dlq list shows it.`,
      );
    }
    return shop.group(address.group).name;
  });
  return [...new Set(groups)];
}

/**
 * The letters that a command which changes something is to change: those named, decided or not, or the open ones that match.
 * @throws {Misuse} nothing says which, or both do.
 * @throws {CommandFailed} there are none.
 */
export async function chooseLetters(
  shop: Shop,
  addresses: readonly string[],
  filters: Filters,
  verb: string,
): Promise<{ readonly chosen: readonly Letter[]; readonly loaded: readonly Letter[] }> {
  if (addresses.length > 0) {
    if (isNarrowed(filters) || filters.all === true) throw new Misuse('Name letters or describe them, not both.');
    const loaded = await loadLetters(shop, { group: groupsNamed(shop, addresses) });
    const chosen = [...new Set(addresses)].map((text) => found(loaded, text));
    return { chosen, loaded };
  }
  if (!isNarrowed(filters) && filters.all !== true) {
    throw new Misuse(
      `Which letters? Name them (millrace dlq ${verb} order.checkout/0/17), describe them (--group, --type, …), or say --all.`,
    );
  }
  const loaded = await loadLetters(shop, filters);
  const chosen = loaded.filter(({ letter, decision }) => decision === undefined && matches(letter, filters));
  if (chosen.length === 0) {
    const open = loaded.filter(({ decision }) => decision === undefined).length;
    throw new CommandFailed(
      `No open dead letter matches. There are ${countOf(open, 'open letter')}: millrace dlq list shows them.`,
    );
  }
  return { chosen, loaded };
}

/** The letter at an address. @throws {CommandFailed} there is none. */
export function found(letters: readonly Letter[], text: string): Letter {
  const address = parseAddress(text);
  const letter = letters.find((each) => address !== undefined && addressOf(each.letter) === addressOf(address));
  if (letter === undefined) {
    throw new CommandFailed(
      `There is no dead letter ${text}, or its topic has forgotten it: millrace dlq list shows what there is.`,
    );
  }
  return letter;
}

/** `1 dead letter`, `2 dead letters`. */
export function countOf(letters: number, what = 'dead letter'): string {
  return letters === 1 ? `1 ${what}` : `${letters} ${what}s`;
}
