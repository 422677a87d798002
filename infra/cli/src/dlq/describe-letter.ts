import { headerNames, textOf } from '@millrace/contracts';
import { addressOf, type DeadLetter, originOf } from '@millrace/messaging/dead-letters';
import { traceIdsOf } from '@millrace/observability';
import { type Letter, typeNameOf } from './selection.ts';

/** A letter as scripts read it. */
export function letterDocument({ letter, decision }: Letter): Record<string, unknown> {
  return {
    letter: addressOf(letter),
    group: letter.group,
    type: letter.type,
    messageId: letter.messageId,
    key: letter.record.key?.toString(),
    state: decision?.decision ?? 'open',
    cause: letter.reason,
    error: letter.error,
    attempts: letter.attempts,
    firstFailedAt: letter.firstFailedAt,
    failedAt: letter.failedAt,
    origin: originOf(letter),
    redrives: letter.redrives,
    redriveOf: letter.redriveOf,
    traceId: traceIdOf(letter),
    decision,
  };
}

/** The cells of a letter in a list, without what the list adds. */
export function letterCells({ letter }: Letter): readonly (string | number)[] {
  return [
    addressOf(letter),
    typeNameOf(letter) || '(no type)',
    letter.record.key?.toString() ?? '(no key)',
    letter.reason,
  ];
}

/** The trace that the letter's message belongs to. */
export function traceIdOf({ failedIn, record }: DeadLetter): string | undefined {
  return traceIdsOf(failedIn ?? textOf(record.headers[headerNames.traceparent])).traceId;
}

/** A header as people read it: its last value, or all of them where it repeats; bytes that are no text as base64. */
export function headerText(value: Buffer | string | readonly (Buffer | string)[] | undefined): string | string[] {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((each: Buffer | string) => bytesText(Buffer.from(each)));
  return bytesText(Buffer.from(value as Buffer | string));
}

/** Bytes as text where they are text, else as base64 that says so. */
export function bytesText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `base64:${bytes.toString('base64')}`;
}
