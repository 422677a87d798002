import { z } from 'zod';
import type { MessageId } from '../ids.ts';
import type { Said } from '../message.ts';
import { headerNames, SOURCE_PREFIX } from './headers.ts';

/** A record as Kafka takes it: the value is JSON text, the headers are text. */
export interface EncodedMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the runtime adds to a message that a decision wants said. */
export interface EnvelopeFacts {
  readonly id: MessageId;
  readonly source: string;
  readonly time: Date;
  readonly correlationId: string;
  readonly causationId?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** A service tried to say something that its own contract refuses: a bug of the sender, found before it is stored. */
export class ContractViolation extends Error {
  override readonly name = 'ContractViolation';
}

/**
 * Makes the record of a message.
 * @throws {ContractViolation} the body does not fit the schema; the text names the fields and what was expected.
 */
export function encode(said: Said, facts: EnvelopeFacts): EncodedMessage {
  const { contract } = said;
  const parsed = contract.schema.safeParse(said.body);
  if (!parsed.success) {
    throw new ContractViolation(`${contract.wireType} cannot be said: ${z.prettifyError(parsed.error)}`);
  }
  const key = contract.keyOf(said.body);
  const headers: Record<string, string> = {
    [headerNames.specVersion]: '1.0',
    [headerNames.id]: facts.id,
    [headerNames.type]: contract.wireType,
    [headerNames.source]: SOURCE_PREFIX + facts.source,
    [headerNames.time]: facts.time.toISOString(),
    [headerNames.subject]: key,
    [headerNames.contentType]: 'application/json',
    [headerNames.correlationId]: facts.correlationId,
  };
  if (facts.causationId !== undefined) headers[headerNames.causationId] = facts.causationId;
  if (said.aggregateVersion !== undefined) headers[headerNames.aggregateVersion] = String(said.aggregateVersion);
  if (facts.traceparent !== undefined) headers[headerNames.traceparent] = facts.traceparent;
  return { topic: contract.topic.name, key, value: JSON.stringify(parsed.data), headers };
}
