import type { z } from 'zod';
import type { MessageId } from './ids.ts';
import type { Topic } from './topics.ts';

/** A message that a decision wants said; the runtime gives it an id, stores it with the change and sends it. */
export interface Said<Type extends string = string, Body = unknown> {
  readonly contract: AnyContract & { readonly type: Type };
  readonly body: Body;
  /** Version of the aggregate after the change, for readers that must tell old news from new. */
  readonly aggregateVersion?: number;
}

/** The contract of one message and version. Calling it makes a message: `OrderConfirmed({ orderId, … })`. */
export interface MessageContract<Type extends string = string, Body = unknown> {
  (body: Body, options?: { readonly aggregateVersion?: number }): Said<Type, Body>;
  readonly type: Type;
  readonly version: number;
  /** `ce_type` on the wire: `millrace.<type>.v<version>`. */
  readonly wireType: string;
  readonly topic: Topic;
  readonly schema: z.ZodType<Body>;
  /** One sentence of business meaning. */
  readonly meaning: string;
  keyOf(body: Body): string;
}

/** Any contract; for lists such as `hears`. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyContract = MessageContract<string, any>;

/** The body of a contract. */
export type BodyOf<C extends AnyContract> = C extends MessageContract<string, infer Body> ? Body : never;

/** A message as a handler hears it: decoded, validated, with the facts of its envelope. */
export interface MessageFacts {
  readonly id: MessageId;
  readonly key: string;
  /** Who said it: the service's name. */
  readonly source: string;
  /** When it was decided. */
  readonly time: Date;
  /** The id of the message that began the conversation. */
  readonly correlationId: string;
  /** The id of the message that led to this one; absent on the first of a conversation. */
  readonly causationId?: string;
  readonly aggregateVersion?: number;
  /** W3C trace context of the span that created the message. */
  readonly traceparent?: string;
}

/** `MessageOf<typeof A | typeof B>` is a union that `switch (message.type)` narrows. */
export type MessageOf<C extends AnyContract> =
  C extends MessageContract<infer Type, infer Body>
    ? MessageFacts & { readonly type: Type; readonly body: Body }
    : never;

/** Any heard message. */
export type AnyMessage = MessageFacts & { readonly type: string; readonly body: unknown };

/** Declares a message. `key` names the field of the body whose value becomes the Kafka key. */
export function defineMessage<const Type extends string, Body extends object>(definition: {
  readonly type: Type;
  readonly version: number;
  readonly topic: Topic;
  readonly key: keyof Body & string;
  readonly schema: z.ZodType<Body>;
  readonly meaning: string;
}): MessageContract<Type, Body> {
  const { type, version, topic, key, schema, meaning } = definition;
  const say = (body: Body, options?: { readonly aggregateVersion?: number }): Said<Type, Body> => ({
    contract,
    body,
    ...options,
  });
  const contract: MessageContract<Type, Body> = Object.assign(say, {
    type,
    version,
    wireType: `millrace.${type}.v${version}`,
    topic,
    schema,
    meaning,
    keyOf: (body: Body) => String(body[key]),
  });
  return contract;
}
