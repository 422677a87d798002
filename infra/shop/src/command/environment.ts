/** What was asked for cannot be done; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment variables that a command needs, each with one sentence of meaning. Names that end in URL hold one. */
export type Variables<Name extends string> = Readonly<Record<Name, string>>;

/**
 * Reads what a command needs; an empty variable counts as not set, as compose files cannot unset one. Throws one
 * `UsageError` for all that is missing or wrong; it never repeats a value, because some are secrets.
 */
export function readVariables<Name extends string>(env: Environment, wanted: Variables<Name>): Record<Name, string> {
  const names = Object.keys(wanted) as Name[];
  const problems = names.flatMap((name) => {
    const value = env[name];
    if (!value) return [`  ${name} is not set: ${wanted[name]}`];
    return name.endsWith('URL') && !URL.canParse(value) ? [`  ${name} is no URL: ${wanted[name]}`] : [];
  });
  if (problems.length > 0) throw new UsageError(['The environment is not complete:', ...problems].join('\n'));
  return Object.fromEntries(names.map((name) => [name, withoutSlash(env[name] ?? '')])) as Record<Name, string>;
}

/** A whole or broken number between two others, from the environment or the command line. @throws {UsageError} */
export function readNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max)) {
    throw new UsageError(`${name} ${text}: expected a number from ${min} to ${max}.`);
  }
  return value;
}

/** The lines of a help text that list variables. */
export function describeVariables(variables: Variables<string>): string {
  const width = Math.max(...Object.keys(variables).map((name) => name.length));
  return Object.entries(variables)
    .map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`)
    .join('\n');
}

function withoutSlash(text: string): string {
  return text.replace(/\/$/, '');
}
