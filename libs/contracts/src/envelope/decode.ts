import { z } from 'zod';
import type { MessageId } from '../ids.ts';
import { type AnyContract, type AnyMessage, parseWireType, versionsOf, wireTypeOf } from '../message.ts';
import { headerNames, SOURCE_PREFIX } from './headers.ts';

/** A record as Kafka gives it. */
export interface RawMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
}

/**
 * Why a record is no message. `newer-version` is one that this reader is too old for: nothing is wrong with it, and a newer
 * replica of the same group will understand it.
 */
export type MalformedReason =
  | 'bad-envelope'
  | 'unknown-type'
  | 'newer-version'
  | 'bad-json'
  | 'schema-violation'
  | 'upcast-failed';

export type Decoded =
  | { readonly kind: 'message'; readonly message: AnyMessage }
  | { readonly kind: 'not-heard' }
  | {
      readonly kind: 'malformed';
      readonly reason: MalformedReason;
      readonly detail: string;
      /** The message's own id, where its envelope is sound. */
      readonly id?: MessageId;
    };

/** A version that a reader understands: the contract by which it was written, and the way from there to the newest. */
interface Understood {
  readonly written: AnyContract;
  readonly newest: AnyContract;
}

/**
 * Makes a decoder for what one handler hears, in the newest version and in those before it, which are upcast: whoever hears
 * sees the newest only. It never throws: a record that is no message comes back as `malformed` with the field and what was
 * expected. Fields that the schema does not know are dropped, and messages that are for others, or that only later services know
 * of, are `not-heard`; so is a newer version of which an earlier copy follows.
 */
export function decoderOf(heard: readonly AnyContract[]): (raw: RawMessage) => Decoded {
  const byWireType = new Map<string, Understood>();
  const newestByType = new Map<string, AnyContract>();
  for (const newest of heard) {
    newestByType.set(newest.type, newest);
    for (const written of versionsOf(newest)) byWireType.set(written.wireType, { written, newest });
  }
  return (raw) => {
    const wireType = textOf(raw.headers[headerNames.type]);
    if (wireType === undefined) return malformed('bad-envelope', `header ${headerNames.type} is missing`);
    const understood = byWireType.get(wireType);
    return understood === undefined
      ? notUnderstood(raw, wireType, byWireType, newestByType)
      : decodeAs(understood, raw);
  };
}

function decodeAs({ written, newest }: Understood, raw: RawMessage): Decoded {
  const envelope = envelopeOf(raw);
  if ('kind' in envelope) return envelope;
  let json: unknown;
  try {
    json = JSON.parse(raw.value?.toString('utf8') ?? '');
  } catch (error) {
    return malformed('bad-json', `the value is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const body = written.schema.safeParse(json);
  if (!body.success) return malformed('schema-violation', `${written.wireType}: ${z.prettifyError(body.error)}`);
  const key = written.keyOf(body.data);
  if (raw.key?.toString('utf8') !== key) {
    return malformed('bad-envelope', `the record's key is not the body's key ${key}`);
  }
  if (written === newest) return { kind: 'message', message: messageOf(raw, newest, body.data, { ...envelope, key }) };
  const upcast = upcastTo(newest, written, body.data);
  return upcast.success
    ? { kind: 'message', message: messageOf(raw, newest, upcast.body, { ...envelope, key }) }
    : malformed('upcast-failed', `${written.wireType} made no ${newest.wireType}: ${upcast.detail}`);
}

/** One version after the other; what comes out must be a message of the newest, as if it had been said so. */
function upcastTo(
  newest: AnyContract,
  written: AnyContract,
  body: unknown,
): { readonly success: true; readonly body: unknown } | { readonly success: false; readonly detail: string } {
  try {
    const checked = newest.schema.safeParse(upcastBody(newest, written, body));
    return checked.success
      ? { success: true, body: checked.data }
      : { success: false, detail: z.prettifyError(checked.error) };
  } catch (error) {
    return { success: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function upcastBody(to: AnyContract, written: AnyContract, body: unknown): unknown {
  const { earlier } = to;
  if (to === written || earlier === undefined) return body;
  return earlier.upcast(upcastBody(earlier.contract, written, body));
}

function notUnderstood(
  raw: RawMessage,
  wireType: string,
  understood: ReadonlyMap<string, unknown>,
  newestByType: ReadonlyMap<string, AnyContract>,
): Decoded {
  const parsed = parseWireType(wireType);
  if (parsed === undefined)
    return malformed('unknown-type', `${headerNames.type} ${wireType} is no message of Millrace`);
  const newest = newestByType.get(parsed.type);
  if (newest === undefined) return { kind: 'not-heard' };
  if (parsed.version < newest.version) {
    return malformed('unknown-type', `${wireType} is no longer understood: ${newest.wireType} is`);
  }
  const copies = textOf(raw.headers[headerNames.alsoSaidAs])?.split(',') ?? [];
  if (copies.some((version) => understood.has(wireTypeOf(parsed.type, Number(version))))) return { kind: 'not-heard' };
  const envelope = envelopeOf(raw);
  if ('kind' in envelope) return envelope;
  const detail = `${wireType} is newer than this replica, which understands ${newest.wireType}`;
  return { kind: 'malformed', reason: 'newer-version', detail, id: envelope.id };
}

/** What every message tells of itself, or why the record is none. */
function envelopeOf(raw: RawMessage): Envelope | Extract<Decoded, { kind: 'malformed' }> {
  const id = textOf(raw.headers[headerNames.id]);
  const time = new Date(textOf(raw.headers[headerNames.time]) ?? '');
  const source = textOf(raw.headers[headerNames.source]);
  if (id === undefined || !UUID_V7.test(id)) {
    return malformed('bad-envelope', `header ${headerNames.id}: expected a UUIDv7, got ${id ?? 'nothing'}`);
  }
  if (Number.isNaN(time.getTime())) {
    return malformed('bad-envelope', `header ${headerNames.time}: expected an RFC 3339 time`);
  }
  if (source === undefined) return malformed('bad-envelope', `header ${headerNames.source} is missing`);
  return { id: id as MessageId, time, source };
}

interface Envelope {
  readonly id: MessageId;
  readonly time: Date;
  readonly source: string;
}

// An id tells its time: an inbox forgets old ids by it, and would forget one without a time too early, or never.
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function messageOf(
  raw: RawMessage,
  contract: AnyContract,
  body: unknown,
  facts: Envelope & { readonly key: string },
): AnyMessage {
  const causationId = textOf(raw.headers[headerNames.causationId]);
  const aggregateVersion = Number(textOf(raw.headers[headerNames.aggregateVersion]) ?? Number.NaN);
  const traceparent = textOf(raw.headers[headerNames.traceparent]);
  return {
    id: facts.id,
    type: contract.type,
    key: facts.key,
    source: facts.source.startsWith(SOURCE_PREFIX) ? facts.source.slice(SOURCE_PREFIX.length) : facts.source,
    time: facts.time,
    body,
    correlationId: textOf(raw.headers[headerNames.correlationId]) ?? facts.id,
    ...(causationId === undefined ? {} : { causationId }),
    ...(Number.isSafeInteger(aggregateVersion) ? { aggregateVersion } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

function malformed(reason: MalformedReason, detail: string): Extract<Decoded, { kind: 'malformed' }> {
  return { kind: 'malformed', reason, detail };
}

/** The text of one header; Kafka allows a header to repeat, then the last one counts. */
export function textOf(header: Buffer | string | readonly (Buffer | string)[] | undefined): string | undefined {
  const last = Array.isArray(header) ? header.at(-1) : header;
  return last === undefined ? undefined : last.toString();
}
