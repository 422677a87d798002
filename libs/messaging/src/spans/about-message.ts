import type { AnyMessage } from '@millrace/contracts';
import { traceIdsOf } from '@millrace/observability';
import type { Attributes, Span } from '@opentelemetry/api';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The order that a key names. Products have keys of another form, and what is no message may have any. */
export function orderIdOf(key: string | null | undefined): string | undefined {
  return typeof key === 'string' && isUuid(key) ? key : undefined;
}

/** What log lines about a message carry where the ids of its trace come from the active span. */
export function idsOf({ id, key }: AnyMessage): Readonly<Record<string, string>> {
  const orderId = orderIdOf(key);
  return orderId === undefined ? { messageId: id, key } : { messageId: id, key, orderId };
}

/** What spans of a message carry: its order is the conversation. */
export function attributesOf({ id, key }: AnyMessage): Attributes {
  const orderId = orderIdOf(key);
  return {
    'messaging.message.id': id,
    ...(orderId === undefined ? {} : { 'messaging.message.conversation_id': orderId }),
  };
}

/** What log lines about a message carry: they are found by its order, and lead to its trace. */
export function aboutMessage(message: AnyMessage, span?: Span): Readonly<Record<string, string>> {
  const { traceId, spanId } = span?.spanContext() ?? traceIdsOf(message.traceparent);
  return {
    ...idsOf(message),
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
  };
}
