import { z } from 'zod';
import { catalogue } from '../catalogue.ts';
import type { MessageId } from '../ids.ts';
import type { AnyContract, AnyMessage } from '../message.ts';
import { headerNames, SOURCE_PREFIX } from './headers.ts';

/** A record as Kafka gives it. */
export interface RawMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
}

/** Why a record is no message. */
export type MalformedReason = 'bad-envelope' | 'unknown-type' | 'bad-json' | 'schema-violation';

export type Decoded =
  | { readonly kind: 'message'; readonly message: AnyMessage }
  | { readonly kind: 'not-heard' }
  | { readonly kind: 'malformed'; readonly reason: MalformedReason; readonly detail: string };

/**
 * Makes a decoder for what one handler hears. It never throws: a record that is no message comes back as `malformed` with
 * the field and what was expected; a message that exists but is for others is `not-heard`. Fields that the schema does not
 * know are dropped.
 */
export function decoderOf(
  heard: readonly AnyContract[],
  known: readonly AnyContract[] = catalogue,
): (raw: RawMessage) => Decoded {
  const byWireType = new Map(heard.map((contract) => [contract.wireType, contract]));
  const others = new Set(known.map((contract) => contract.wireType));
  return (raw) => {
    const wireType = textOf(raw.headers[headerNames.type]);
    const id = textOf(raw.headers[headerNames.id]);
    const time = new Date(textOf(raw.headers[headerNames.time]) ?? '');
    const source = textOf(raw.headers[headerNames.source]);
    if (wireType === undefined) return malformed('bad-envelope', `header ${headerNames.type} is missing`);
    const contract = byWireType.get(wireType);
    if (!contract) {
      return others.has(wireType)
        ? { kind: 'not-heard' }
        : malformed('unknown-type', `${headerNames.type} ${wireType} is no message of the catalogue`);
    }
    if (id === undefined || !UUID_V7.test(id)) {
      return malformed('bad-envelope', `header ${headerNames.id}: expected a UUIDv7, got ${id ?? 'nothing'}`);
    }
    if (Number.isNaN(time.getTime())) {
      return malformed('bad-envelope', `header ${headerNames.time}: expected an RFC 3339 time`);
    }
    if (source === undefined) return malformed('bad-envelope', `header ${headerNames.source} is missing`);

    let json: unknown;
    try {
      json = JSON.parse(raw.value?.toString('utf8') ?? '');
    } catch (error) {
      return malformed('bad-json', `the value is no JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    const body = contract.schema.safeParse(json);
    if (!body.success) return malformed('schema-violation', `${wireType}: ${z.prettifyError(body.error)}`);
    const key = contract.keyOf(body.data);
    if (raw.key?.toString('utf8') !== key) {
      return malformed('bad-envelope', `the record's key is not the body's key ${key}`);
    }
    return { kind: 'message', message: messageOf(raw, contract, body.data, { id, key, source, time }) };
  };
}

// An id tells its time: an inbox forgets old ids by it, and would forget one without a time too early, or never.
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function messageOf(
  raw: RawMessage,
  contract: AnyContract,
  body: unknown,
  facts: { id: string; key: string; source: string; time: Date },
): AnyMessage {
  const causationId = textOf(raw.headers[headerNames.causationId]);
  const aggregateVersion = Number(textOf(raw.headers[headerNames.aggregateVersion]) ?? Number.NaN);
  const traceparent = textOf(raw.headers[headerNames.traceparent]);
  return {
    id: facts.id as MessageId,
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

function malformed(reason: MalformedReason, detail: string): Decoded {
  return { kind: 'malformed', reason, detail };
}

/** The text of one header; Kafka allows a header to repeat, then the last one counts. */
export function textOf(header: Buffer | string | readonly (Buffer | string)[] | undefined): string | undefined {
  const last = Array.isArray(header) ? header.at(-1) : header;
  return last === undefined ? undefined : last.toString();
}
