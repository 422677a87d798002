import type { z } from 'zod';

/** The environment does not configure the service. The message lists every variable that is wrong and says what to set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Parses the environment once. An empty variable counts as not set, as compose files cannot unset one. Throws one
 * `ConfigError` for all that is wrong; it never repeats a value, because some are secrets.
 */
export function loadConfig<S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv = process.env): z.output<S> {
  const set = Object.fromEntries(Object.keys(schema.shape).flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  throw new ConfigError(
    ['The configuration is not complete. Set these environment variables:', ...lines(schema, set, result.error)].join(
      '\n',
    ),
  );
}

function* lines(schema: z.ZodObject, set: Record<string, unknown>, error: z.ZodError): Generator<string> {
  for (const [name, issues] of Map.groupBy(error.issues, ({ path }) => String(path[0] ?? ''))) {
    const { description } = schema.shape[name] as { description?: string };
    const meaning = description === undefined ? '' : `: ${description}`;
    if (name in set) yield `  ${name} is not valid (${issues.map(({ message }) => message).join('; ')})${meaning}`;
    else yield `  ${name} is missing${meaning}`;
  }
}
