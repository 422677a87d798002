import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { describeError } from './error-description.ts';
import { logFieldsOf } from './log-fields.ts';
import { readableLines } from './readable-lines.ts';

export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly service: string;
  readonly level: string;
  /** Lines for a person at a terminal instead of JSON for a machine. */
  readonly pretty?: boolean;
  /** Where the lines go; standard output unless given. */
  readonly destination?: DestinationStream;
}

/**
 * One JSON object per line, with ISO time, service, process id, the ids of the active span and the fields of the active context
 * (`withLogFields`). Errors are written as
 * name, message, code, stack and cause only: what else hangs on them may be a request or a row with personal data.
 * Lines are written synchronously, so none is lost when the process exits.
 */
export function createLogger({ service, level, pretty = false, destination }: LoggerOptions): Logger {
  const stdout = destination ?? pino.destination({ dest: 1, sync: true });
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
      mixin: fieldsOfContext,
    },
    pretty ? readableLines(stdout) : stdout,
  );
}

function fieldsOfContext(): object {
  const active = context.active();
  const span = trace.getSpanContext(active);
  const ids = span !== undefined && isSpanContextValid(span) ? { traceId: span.traceId, spanId: span.spanId } : {};
  return { ...ids, ...logFieldsOf(active) };
}
