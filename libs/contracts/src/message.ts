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
  /** The field of the body whose value is the Kafka key. */
  readonly key: string;
  readonly schema: z.ZodType<Body>;
  /** One sentence of business meaning. */
  readonly meaning: string;
  /** The version before this one, as long as any message or reader of it may exist. */
  readonly earlier?: EarlierVersion;
  keyOf(body: Body): string;
}

/** How a version of a message and the one before it understand each other. */
export interface EarlierVersion<Earlier = unknown, Body = unknown> {
  readonly contract: AnyContract;
  /** What readers of this version make of a message of the earlier one: pure, and right for every message ever said. */
  upcast(body: Earlier): Body;
  /**
   * Present while readers of the earlier version run: the message is said in both versions, under one id, so that every
   * group applies it once, whichever copy its replicas read.
   */
  downcast?(body: Body): Earlier;
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

/**
 * Declares a message. `key` names the field of the body whose value becomes the Kafka key. A version above 1 says with `earlier`
 * how it is made of the version before it: handlers then hear and say the newest version only.
 * @throws {Error} the version does not follow the earlier one, or leaves its name, topic or key: order per key would be lost.
 */
export function defineMessage<
  const Type extends string,
  Body extends object,
  Earlier extends object = never,
>(definition: {
  readonly type: Type;
  readonly version: number;
  readonly topic: Topic;
  readonly key: keyof Body & string;
  readonly schema: z.ZodType<Body>;
  readonly meaning: string;
  readonly earlier?: EarlierVersion<Earlier, Body> & { readonly contract: MessageContract<NoInfer<Type>, Earlier> };
}): MessageContract<Type, Body> {
  const { type, version, topic, key, schema, meaning, earlier } = definition;
  if (earlier !== undefined) refuseUnlike(definition, earlier.contract, earlier.downcast !== undefined);
  const say = (body: Body, options?: { readonly aggregateVersion?: number }): Said<Type, Body> => ({
    contract,
    body,
    ...options,
  });
  const contract: MessageContract<Type, Body> = Object.assign(say, {
    type,
    version,
    wireType: wireTypeOf(type, version),
    topic,
    key,
    schema,
    meaning,
    ...(earlier === undefined ? {} : { earlier: earlier as EarlierVersion }),
    keyOf: (body: Body) => String(body[key]),
  });
  return contract;
}

/** `millrace.<type>.v<version>` */
export function wireTypeOf(type: string, version: number): string {
  return `millrace.${type}.v${version}`;
}

const WIRE_TYPE = /^millrace\.([A-Za-z]+)\.v([1-9]\d{0,5})$/;

/** The name and the version that a wire type tells; undefined when it is none of Millrace. */
export function parseWireType(wireType: string): { readonly type: string; readonly version: number } | undefined {
  const [, type, version] = WIRE_TYPE.exec(wireType) ?? [];
  return type === undefined ? undefined : { type, version: Number(version) };
}

/** A contract and the earlier versions that its readers understand, newest first. */
export function versionsOf(contract: AnyContract): readonly AnyContract[] {
  return contract.earlier === undefined ? [contract] : [contract, ...versionsOf(contract.earlier.contract)];
}

/** The versions in which a message is said, newest first. */
export function saidVersionsOf(contract: AnyContract): readonly AnyContract[] {
  const { earlier } = contract;
  return earlier?.downcast === undefined ? [contract] : [contract, ...saidVersionsOf(earlier.contract)];
}

function refuseUnlike(
  { type, version, topic, key }: Pick<AnyContract, 'type' | 'version' | 'topic' | 'key'>,
  earlier: AnyContract,
  isSaidTwice: boolean,
): void {
  const wireType = wireTypeOf(type, version);
  if (earlier.type !== type || earlier.version !== version - 1) {
    throw new Error(`${wireType} cannot follow ${earlier.wireType}: versions follow one another by one`);
  }
  if (earlier.topic !== topic || earlier.key !== key) {
    throw new Error(`${wireType} leaves the topic or the key of ${earlier.wireType}: their order would be lost`);
  }
  if (isSaidTwice && topic.cleanup.policy === 'compact') {
    throw new Error(`${wireType} cannot be said in two versions: compaction of ${topic.name} would keep the older one`);
  }
}
