import { type Context, createContextKey } from '@opentelemetry/api';

const LOG_FIELDS = createContextKey('fields of log lines');

/** A context in which every log line carries these fields, such as the id of the order that is being worked on. */
export function withLogFields(context: Context, fields: Readonly<Record<string, string>>): Context {
  return context.setValue(LOG_FIELDS, { ...logFieldsOf(context), ...fields });
}

/** The fields that log lines carry in a context. */
export function logFieldsOf(context: Context): Readonly<Record<string, string>> {
  return (context.getValue(LOG_FIELDS) as Readonly<Record<string, string>> | undefined) ?? {};
}
