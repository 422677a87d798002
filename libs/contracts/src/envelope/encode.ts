import { z } from 'zod';
import type { MessageId } from '../ids.ts';
import { type AnyContract, type Said, saidVersionsOf } from '../message.ts';
import { headerNames, SOURCE_PREFIX } from './headers.ts';

/** A record as Kafka takes it: the value is JSON text, the headers are text. */
export interface EncodedMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The same message in the earlier versions that it is said in, too, newest first: to be sent right after it. */
  readonly copies?: readonly EncodedMessage[];
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
 * Makes the record of a message, with its copies in earlier versions where it is said in those, too.
 * @throws {ContractViolation} the body does not fit the schema; the text names the fields and what was expected.
 */
export function encode(said: Said, facts: EnvelopeFacts): EncodedMessage {
  const encoded = encodeAs(said.contract, said.body, said.aggregateVersion, facts);
  return said.contract.earlier?.downcast === undefined ? encoded : withCopies(encoded, said, facts);
}

function encodeAs(
  contract: AnyContract,
  body: unknown,
  aggregateVersion: number | undefined,
  facts: EnvelopeFacts,
): EncodedMessage {
  const parsed = contract.schema.safeParse(body);
  if (!parsed.success) {
    throw new ContractViolation(`${contract.wireType} cannot be said: ${z.prettifyError(parsed.error)}`);
  }
  const key = contract.keyOf(body);
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
  if (aggregateVersion !== undefined) headers[headerNames.aggregateVersion] = String(aggregateVersion);
  if (facts.traceparent !== undefined) headers[headerNames.traceparent] = facts.traceparent;
  return { topic: contract.topic.name, key, value: JSON.stringify(parsed.data), headers };
}

/**
 * Every copy has the id of the message: an inbox lets one of them through, whichever versions its group understands. Each names
 * those that follow it, so that a reader to which it is too new knows that its own is on the way.
 */
function withCopies(
  newest: EncodedMessage,
  { contract, body, aggregateVersion }: Said,
  facts: EnvelopeFacts,
): EncodedMessage {
  const records = [newest];
  let inVersion = body;
  for (let { earlier } = contract; earlier?.downcast !== undefined; { earlier } = earlier.contract) {
    inVersion = earlier.downcast(inVersion);
    const copy = encodeAs(earlier.contract, inVersion, aggregateVersion, facts);
    if (copy.key !== newest.key) {
      throw new ContractViolation(`${earlier.contract.wireType} cannot be said: its key is not ${newest.key}`);
    }
    records.push(copy);
  }
  const [first = newest, ...copies] = records.map((record, index) => {
    const following = saidVersionsOf(contract).slice(index + 1);
    if (following.length === 0) return record;
    const alsoSaidAs = following.map(({ version }) => version).join(',');
    return { ...record, headers: { ...record.headers, [headerNames.alsoSaidAs]: alsoSaidAs } };
  });
  return { ...first, copies };
}
