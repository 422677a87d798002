import { type Attributes, trace } from '@opentelemetry/api';

/**
 * Notes on the active span that something happened. Nothing where no span is recorded. Traces are read by many: no personal
 * data, no part of a message's body.
 */
export function noteOnSpan(event: string, attributes?: Attributes): void {
  trace.getActiveSpan()?.addEvent(event, attributes);
}
