import type { AnyMessage } from '@millrace/contracts';
import { contextOf, withLogFields } from '@millrace/observability';
import { context, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { idsOf } from './about-message.ts';
import { failSpan, tracer } from './tracer.ts';

// An outage of hours is told by its first tries and then by one of this many: a trace must stay readable.
const EVERY_TRY_UP_TO = 20;

/** One try of a call to the outside. */
export interface Try {
  readonly message: AnyMessage;
  /** Of the message; undefined when its trace is not recorded. */
  readonly processSpan: Span | undefined;
  /** What is called, such as `carrier book`; undefined when nobody is. Asked for only where a span is made. */
  readonly name: () => string | undefined;
  /** 1 for the first; those of an outage count too. */
  readonly number: number;
}

/**
 * Runs one try of a call in a span of its own, a child of the message's, where the trace is recorded. Whatever is logged meanwhile
 * carries the ids of its span, its message and its order, recorded or not.
 */
export async function inCallSpan<T>(call: Try, work: () => Promise<T>): Promise<T> {
  const { message, processSpan } = call;
  const span = processSpan && startCallSpan(call, processSpan);
  const active = span ?? processSpan;
  const parent = active === undefined ? contextOf(message.traceparent) : trace.setSpan(ROOT_CONTEXT, active);
  try {
    return await context.with(withLogFields(parent, idsOf(message)), work);
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span?.end();
  }
}

function startCallSpan(call: Try, processSpan: Span): Span | undefined {
  if (call.number > EVERY_TRY_UP_TO && call.number % EVERY_TRY_UP_TO !== 0) return undefined;
  const name = call.name();
  if (name === undefined) return undefined;
  return tracer.startSpan(
    name,
    { kind: SpanKind.CLIENT, attributes: { 'millrace.try': call.number } },
    trace.setSpan(ROOT_CONTEXT, processSpan),
  );
}
