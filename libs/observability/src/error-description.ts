// Causes can form a ring; nobody reads further down than this.
const MAX_CAUSES = 5;

/** What is safe and useful to log of an error, whatever its class put on it. */
export function describeError(error: unknown, causesLeft: number = MAX_CAUSES): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: error.stack,
    ...(error.cause !== undefined && causesLeft > 0 ? { cause: describeError(error.cause, causesLeft - 1) } : {}),
    ...(error instanceof AggregateError && causesLeft > 0
      ? { errors: error.errors.map((each) => describeError(each, causesLeft - 1)) }
      : {}),
  };
}
