import type { Span } from '@opentelemetry/api';
import { startBatchSpan } from './batch-span.ts';
import { endProcessSpan, type Outcome } from './process-span.ts';
import { errorTypeOf, failSpan, markFailed } from './tracer.ts';

/** A record under work, whose span is open while its trace is recorded. */
export interface Spanned {
  span: Span | undefined;
}

/** Runs one transaction for a batch inside the batch's own span, if it has one. */
export async function inBatchSpan<T>(
  group: string,
  batch: readonly Readonly<Spanned>[],
  work: () => Promise<T>,
): Promise<T> {
  const span = startBatchSpan(
    `settle ${group}`,
    batch.map((each) => each.span),
    { 'messaging.system': 'kafka', 'messaging.consumer.group.name': group },
  );
  try {
    return await work();
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span?.end();
  }
}

/** The records go on waiting: their transaction failed and is tried again. */
export function noteRetry(batch: readonly Readonly<Spanned>[], error: unknown): void {
  for (const { span } of batch) span?.addEvent('transaction tried again', { 'error.type': errorTypeOf(error) });
}

/** The record is settled. */
export function endSettled(record: Spanned, outcome: Outcome): void {
  if (record.span === undefined) return;
  endProcessSpan(record.span, outcome);
  record.span = undefined;
}

/** The record could not be handled: it is tried again, or it became a dead letter. `failure` is what is kept of its error. */
export function endFailed(
  record: Spanned,
  { reason, error, stack }: { readonly reason: string; readonly error: string; readonly stack?: string },
  outcome: 'parked' | 'dead-lettered',
): void {
  if (record.span === undefined) return;
  const [name = reason] = /^\w+(?=:)/.exec(error) ?? [];
  markFailed(record.span, reason === 'handler-failed' ? name : reason, stack);
  endSettled(record, outcome);
}

/** The record is left unsettled: it will be delivered again, here or to another replica, in a span of its own. */
export function endLeft(record: Spanned, error: unknown): void {
  failSpan(record.span, error);
  record.span?.end();
  record.span = undefined;
}
