import { z } from 'zod';

/** The environment does not configure the gateway. The message lists every variable that is wrong and says what to set. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** One API: the port that callers use, and the name under which its replicas are found. */
export interface Route {
  /** The first part of the upstream's host name, such as `order`. */
  readonly api: string;
  readonly port: number;
  readonly upstream: URL;
}

const ROUTES_MEANING =
  'the APIs, as port=http://name:port separated by commas, such as 8080=http://order:8080,8082=http://inventory:8080';

const port = (fallback: number, meaning: string) =>
  z.coerce
    .number('expected a number')
    .int()
    .min(0)
    .max(65_535)
    .default(fallback)
    .describe(`${meaning}, such as ${fallback}; 0 takes a free one`);

const milliseconds = (fallback: number, meaning: string) =>
  z.coerce
    .number('expected a number')
    .int()
    .min(10)
    .max(600_000)
    .default(fallback)
    .describe(`${meaning}, in ms, such as ${fallback}`);

/** The variables of the gateway. */
export const gatewaySchema = z
  .object({
    HTTP_HOST: z.string().default('127.0.0.1').describe('the address to listen on, such as 127.0.0.1 or 0.0.0.0'),
    GATEWAY_ROUTES: z.string().transform(parseRoutes).describe(ROUTES_MEANING),
    GATEWAY_ORDER_API: z
      .string()
      .default('order')
      .describe('the API that decides whether the shop is open: it is asked for its readiness and its products'),
    GATEWAY_STATUS_PORT: port(8079, 'the port of /health and /metrics'),
    GATEWAY_ANSWER_TIMEOUT_MS: milliseconds(30_000, 'how long a replica may take to begin its answer'),
    GATEWAY_SILENCE_TIMEOUT_MS: milliseconds(60_000, 'how long a replica may be silent in the middle of an answer'),
    GATEWAY_RESOLVE_INTERVAL_MS: milliseconds(2_000, 'how often the addresses of the replicas are looked up'),
    GATEWAY_MAX_OPEN_REQUESTS: z.coerce
      .number('expected a number')
      .int()
      .min(1)
      .max(100_000)
      .default(4_096)
      .describe('requests open at once for each API; more are refused with 503, such as 4096'),
    LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('trace, debug, info, warn, error, fatal or silent'),
    LOG_PRETTY: z
      .stringbool({ error: 'expected true or false' })
      .default(false)
      .describe('true for lines to read at a terminal, false for JSON'),
  })
  .refine((config) => config.GATEWAY_ROUTES.some(({ api }) => api === config.GATEWAY_ORDER_API), {
    path: ['GATEWAY_ORDER_API'],
    error: 'no route leads there',
  });

export type GatewayConfig = z.output<typeof gatewaySchema>;

/** The environment, parsed once; an empty variable counts as not set. Throws one `ConfigError` for all that is wrong. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const { shape } = gatewaySchema;
  const set = Object.fromEntries(Object.keys(shape).flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const result = gatewaySchema.safeParse(set);
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const meaning = shape[name as keyof typeof shape].description ?? '';
    return name in set || name === 'GATEWAY_ORDER_API'
      ? `  ${name} is not valid (${message}): ${meaning}`
      : `  ${name} is missing: ${meaning}`;
  });
  throw new ConfigError(['The configuration is not complete. Set these environment variables:', ...lines].join('\n'));
}

function parseRoutes(text: string, context: z.RefinementCtx): readonly Route[] {
  const routes: Route[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [, digits = '', address = ''] = /^(\d{1,5})=(http:\/\/[^\s/]+)\/?$/.exec(entry) ?? [];
    if (address === '' || Number(digits) > 65_535 || !URL.canParse(address)) {
      context.addIssue({ code: 'custom', message: `expected port=http://name:port, not ${entry}` });
      return z.NEVER;
    }
    const upstream = new URL(address);
    routes.push({ api: upstream.hostname.split('.', 1)[0] ?? upstream.hostname, port: Number(digits), upstream });
  }
  for (const [what, values] of [
    ['port', routes.map((route) => route.port).filter((number) => number !== 0)],
    ['API', routes.map((route) => route.api)],
  ] as const) {
    const twice = values.find((value, index) => values.indexOf(value as never) !== index);
    if (twice === undefined) continue;
    context.addIssue({ code: 'custom', message: `the ${what} ${twice} has two routes` });
    return z.NEVER;
  }
  return routes;
}
