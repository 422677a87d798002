import { type AnyMessage, type MessageFacts, newId } from '@millrace/contracts';
import { currentTraceparent } from '@millrace/observability';

/**
 * Something that did not come from Kafka (an accepted order, a customer's wish, an expired deadline) but is decided by the
 * same function, in the same kind of transaction. It has the facts of a message and no topic.
 */
export type LocalMessage<Type extends string = string, Body = unknown> = MessageFacts & {
  readonly type: Type;
  readonly body: Body;
};

/**
 * Makes a local message. `key` is the id of the aggregate. The conversation goes on under `correlationId` and
 * `traceparent` where they are given (a deadline belongs to the trace of its order), else it starts here: in the active
 * span, under the message's own id.
 */
export function localMessage<const Type extends string, Body>(
  type: Type,
  key: string,
  body: Body,
  facts: {
    readonly source: string;
    readonly now: Date;
    readonly correlationId?: string;
    readonly traceparent?: string | undefined;
  },
): LocalMessage<Type, Body> {
  const id = newId();
  const traceparent = facts.traceparent ?? currentTraceparent();
  return {
    id,
    type,
    key,
    body,
    source: facts.source,
    time: facts.now,
    correlationId: facts.correlationId ?? id,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** What a decision can be about. */
export type Decidable = AnyMessage;
