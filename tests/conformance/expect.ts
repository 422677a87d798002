import { isDeepStrictEqual } from 'node:util';

const MAX_LENGTH = 200;

/** @throws {Error} the two are not equal; the text begins with what was looked at. */
export function expectEqual<T>(what: string, actual: T, expected: T): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${what}: ${shown(actual)} instead of ${shown(expected)}`);
  }
}

/** @throws {Error} it is not so; the text is `fact`. */
export function expectThat(fact: string, holds: boolean): asserts holds {
  if (!holds) throw new Error(`not so: ${fact}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}…`;
}
