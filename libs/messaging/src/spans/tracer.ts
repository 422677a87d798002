import { type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { PermanentFailure } from '../handlers/failures.ts';

export const tracer = trace.getTracer('@millrace/messaging');

// Enough to find the place; the rest is the runtime's own.
const MAX_FRAMES = 12;

/**
 * Marks a span as failed. It tells what kind of error it was and where it was thrown, and not the error's text, which may quote an
 * address or a body: the log has it.
 */
export function failSpan(span: Span | undefined, error: unknown): void {
  if (span !== undefined) markFailed(span, errorTypeOf(error), error instanceof Error ? error.stack : undefined);
}

/** As `failSpan`, where only the kind and the stack of the error are left. */
export function markFailed(span: Span, type: string, stack: string | undefined): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
  span.addEvent('exception', { 'exception.type': type, 'exception.stacktrace': framesOf(stack) });
}

/** A short name for the kind of an error: the reason of a permanent failure, the code of a driver, else the error's name. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof PermanentFailure) return error.reason;
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : error.name;
}

function framesOf(stack = ''): string {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at .*:\d+/.test(line))
    .slice(0, MAX_FRAMES)
    .join('\n');
}
