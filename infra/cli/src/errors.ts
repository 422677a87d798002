/** What was asked for cannot be done as it was asked: exit code 2. The message says what to ask for instead. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

/** It could not be done: exit code 1. The message says why and what to do. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** What went wrong and what to do, for people; `from` says where the tool found out whom to ask, such as `the environment`. */
export function explain(error: unknown, from: string): string {
  if (error instanceof Misuse || error instanceof CommandFailed) return error.message;
  const { message, name, code } = partsOf(error);
  if (/^KafkaJS(Connection|NumberOfRetries|BrokerNotFound)/.test(name)) {
    return `Kafka does not answer: ${message}\nIts address comes from ${from}. Is the shop running?`;
  }
  if (code === '28P01' || code === '28000')
    return `PostgreSQL refuses the role: ${message}\nIts address comes from ${from}.`;
  if (code === '42P01' || code === '42703' || code === '3F000') {
    return `A database is older than this tool: ${message}\nApply the migrations: prepare databases, or start the demo again.`;
  }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ETIMEDOUT' || /timeout|terminated/i.test(message)) {
    return `A database does not answer: ${message}\nIts address comes from ${from}. Is the shop running?`;
  }
  return message;
}

/** Node hides why a name with several addresses was refused in the first of its errors. */
function partsOf(error: unknown): { readonly message: string; readonly name: string; readonly code: unknown } {
  if (error instanceof AggregateError && error.errors.length > 0) return partsOf(error.errors[0]);
  if (!(error instanceof Error)) return { message: String(error), name: '', code: undefined };
  return { message: error.message || error.name, name: error.name, code: (error as { code?: unknown }).code };
}
