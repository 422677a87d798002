/** The code of a system error, such as ENOENT. Not by `instanceof`: in Jest the errors of Node itself are of another realm. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
