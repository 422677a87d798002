import { type ComposeFile, referencesIn, textsIn, withDefaults } from './compose-file.ts';
import type { Finding } from './finding.ts';

/** One line `NAME=default` of the example, and whether a sentence says above it what it is for. */
export interface ExampleVariable {
  readonly name: string;
  readonly value: string;
  readonly isExplained: boolean;
}

export function parseExample(text: string): readonly ExampleVariable[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    return [{ name, value, isExplained: /^# .{10,}[.:]?$/.test(lines[index - 1] ?? '') }];
  });
}

/** Where the variables that the compose file reads and those of the example differ. */
export function exampleFindings(file: ComposeFile, example: readonly ExampleVariable[]): readonly Finding[] {
  const read = Map.groupBy(textsIn(file).flatMap(referencesIn), ({ name }) => name);
  const told = new Map(example.map((variable) => [variable.name, variable]));
  const ofRead = [...read].flatMap(([where, references]) => {
    const defaults = new Set(references.map(({ fallback }) => fallback));
    const [fallback] = defaults;
    if (defaults.has(undefined)) return [{ rule: 'it has a default', where }];
    if (defaults.size > 1) return [{ rule: 'it has the same default everywhere', where }];
    const variable = told.get(where);
    if (variable === undefined) return [{ rule: 'the example names it', where }];
    return variable.value === fallback ? [] : [{ rule: 'the example has its default', where }];
  });
  const ofExample = example.flatMap(({ name: where, isExplained }) => [
    ...(read.has(where) ? [] : [{ rule: 'the compose file reads it', where }]),
    ...(isExplained ? [] : [{ rule: 'the example says what it is for', where }]),
    ...(example.filter(({ name }) => name === where).length === 1
      ? []
      : [{ rule: 'the example names it once', where }]),
  ]);
  return [...ofRead, ...ofExample];
}

/** The environment that compose gives a service when nothing is set. */
export function environmentOf(file: ComposeFile, service: string): Readonly<Record<string, string>> {
  const { environment = {} } = file.services[service] ?? {};
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, withDefaults(value === null ? '' : String(value))]),
  );
}

/** Parses an environment, or throws. */
export type ReadConfig = (env: NodeJS.ProcessEnv) => unknown;

/** Every variable that a program asks for, whatever comes of it. */
export function variablesReadBy(
  readConfig: ReadConfig,
  env: Readonly<Record<string, string>> = {},
): ReadonlySet<string> {
  const read = new Set<string>();
  const asked = new Proxy<NodeJS.ProcessEnv>(
    { ...env },
    {
      get: (target, name) => {
        if (typeof name === 'string') read.add(name);
        return Reflect.get(target, name) as string | undefined;
      },
    },
  );
  try {
    readConfig(asked);
  } catch {
    // An incomplete environment is refused; by then every variable has been asked for.
  }
  return read;
}

/** Where the environment that compose gives a service and the one that its program reads differ. */
export function environmentFindings(file: ComposeFile, service: string, read: ReadonlySet<string>): readonly Finding[] {
  const given = new Set(Object.keys(file.services[service]?.environment ?? {}));
  return [
    ...[...read]
      .filter((name) => !given.has(name))
      .map((where) => ({ rule: 'compose sets it or passes it on', where })),
    ...[...given].filter((name) => !read.has(name)).map((where) => ({ rule: 'the service reads it', where })),
  ];
}
