import {
  type AnyContract,
  catalogue,
  decoderOf,
  type Decoded,
  headerNames,
  type RawMessage,
  textOf,
} from '@millrace/contracts';
import { deadLetterHeaders } from '../runtime/dead-letter-headers.ts';
import type { Incoming } from '../runtime/incoming.ts';

/** Where a record stood in its topic. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** A record that its group could not handle, and why. */
export interface DeadLetter {
  readonly group: string;
  /** Where the letter is in `<group>.dlq`. */
  readonly partition: number;
  readonly offset: string;
  /** When it was appended there. */
  readonly timestampMs: number;
  /** The record as it was received, byte for byte, without what was noted about its failure. */
  readonly record: RawMessage;
  /** `ce_type`; undefined where the record has none. */
  readonly type: string | undefined;
  /** `ce_id`; undefined where the record has none. */
  readonly messageId: string | undefined;
  readonly reason: string;
  readonly error: string;
  readonly stack: string | undefined;
  readonly attempts: number;
  readonly firstFailedAt: Date | undefined;
  readonly failedAt: Date | undefined;
  /** Where the record stood when it was received. */
  readonly origin: Place;
  /** How often people have sent it back to its group already. */
  readonly redrives: number;
  /** The letter that it was before it was sent back the last time, as `<topic>/<partition>/<offset>`. */
  readonly redriveOf: string | undefined;
  /** W3C trace context of the span in which it failed. */
  readonly failedIn: string | undefined;
}

const NOTE_PREFIX = 'dlq-';

/** What `<group>.dlq` holds at one place. Notes that are missing or unreadable come back empty: a letter is always told of. */
export function letterOf(group: string, record: Incoming): DeadLetter {
  const notes = new Map<string, string>();
  const headers: Record<string, RawMessage['headers'][string]> = {};
  for (const [name, value] of Object.entries(record.headers)) {
    if (name.startsWith(NOTE_PREFIX)) notes.set(name, textOf(value) ?? '');
    else headers[name] = value;
  }
  const note = (name: keyof typeof deadLetterHeaders): string | undefined => notes.get(deadLetterHeaders[name]);
  return {
    group,
    partition: record.partition,
    offset: record.offset,
    timestampMs: record.timestampMs,
    record: { key: record.key, value: record.value, headers },
    type: textOf(headers[headerNames.type]),
    messageId: textOf(headers[headerNames.id]),
    reason: note('reason') ?? '',
    error: note('error') ?? '',
    stack: note('stack'),
    attempts: numberOf(note('attempts')),
    firstFailedAt: dateOf(note('firstFailedAt')),
    failedAt: dateOf(note('failedAt')),
    origin: {
      topic: note('originTopic') ?? '',
      partition: numberOf(note('originPartition')),
      offset: note('originOffset') ?? '0',
    },
    redrives: numberOf(note('redrives')),
    redriveOf: note('redriveOf'),
    failedIn: note('traceparent'),
  };
}

/** How people name a letter: `<group>/<partition>/<offset>`. */
export function addressOf({ group, partition, offset }: Pick<DeadLetter, 'group' | 'partition' | 'offset'>): string {
  return `${group}/${partition}/${offset}`;
}

/** The opposite of `addressOf`; undefined where the text is no address. */
export function parseAddress(text: string): Pick<DeadLetter, 'group' | 'partition' | 'offset'> | undefined {
  const [, group, partition, offset] = /^([^/\s]+)\/(\d{1,9})\/(\d{1,18})$/.exec(text) ?? [];
  if (group === undefined || partition === undefined || offset === undefined) return undefined;
  return { group, partition: Number(partition), offset: String(BigInt(offset)) };
}

/** Where a letter's record stood, as text. */
export function originOf({ origin: { topic, partition, offset } }: Pick<DeadLetter, 'origin'>): string {
  return `${topic}/${partition}/${offset}`;
}

/** In the order in which their records were received: those of one key must go back in this order. */
export function byOrigin(one: DeadLetter, other: DeadLetter): number {
  return (
    one.group.localeCompare(other.group) ||
    one.origin.topic.localeCompare(other.origin.topic) ||
    one.origin.partition - other.origin.partition ||
    compare(BigInt(one.origin.offset), BigInt(other.origin.offset)) ||
    compare(BigInt(one.offset), BigInt(other.offset))
  );
}

/** What a group that hears these contracts would make of the letter's record today, with another body if one is given. */
export function decodeLetter(
  { record }: Pick<DeadLetter, 'record'>,
  body: Buffer | undefined,
  contracts: readonly AnyContract[] = catalogue,
): Decoded {
  return decoderOf(contracts)(body === undefined ? record : { ...record, value: body });
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function numberOf(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function dateOf(text: string | undefined): Date | undefined {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}
