import { readFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { routesOf } from './http/route-table.ts';

/** What every service answers beside its API: to its operators, and to whoever reads its API document. */
export const OPERATORS_ROUTES: readonly string[] = [
  'GET /docs',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /openapi.json',
];

/**
 * Every route that a running service serves, such as `GET /orders/{orderId}`, sorted. HEAD, which answers wherever GET does, and
 * the parts of the page at `/docs` are not told apart.
 */
export function servedRoutes(app: NestFastifyApplication): readonly string[] {
  const served = routesOf(app.getHttpAdapter().getInstance())
    .filter(({ url }) => !url.startsWith('/docs/'))
    .flatMap(({ url, methods }) => methods.map((method) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`));
  const routes = new Set(served);
  return [...routes]
    .filter((route) => !(route.startsWith('HEAD ') && routes.has(route.replace('HEAD', 'GET'))))
    .toSorted();
}

/** Every route that the service's own API document describes, written as `servedRoutes` writes them. */
export async function documentedRoutes(url: string): Promise<readonly string[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, object> };
  return Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .toSorted();
}

/** What an AsyncAPI document declares: wire types said by topic, and topics and wire types heard by consumer group. */
export interface DeclaredTalk {
  readonly says: readonly string[];
  readonly hears: ReadonlyMap<string, { readonly topics: readonly string[]; readonly wireTypes: readonly string[] }>;
}

interface AsyncApi {
  readonly channels: Readonly<Record<string, { readonly address: string }>>;
  readonly operations: Readonly<Record<string, Operation>>;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: { readonly $ref: string };
  readonly messages: readonly { readonly $ref: string }[];
  readonly bindings?: { readonly kafka: { readonly groupId: { readonly enum: readonly string[] } } };
}

/** Reads the AsyncAPI document of a service. `file` is its place. */
export function declaredTalk(file: string): DeclaredTalk {
  const { channels, operations } = JSON.parse(readFileSync(file, 'utf8')) as AsyncApi;
  const said = Object.values(operations).filter(({ action }) => action === 'send');
  const heard = Object.values(operations).filter(({ action }) => action === 'receive');
  const groups = Map.groupBy(heard, ({ bindings }) => bindings?.kafka.groupId.enum[0] ?? '');
  return {
    says: said.flatMap(wireTypesOf).toSorted(),
    hears: new Map(
      [...groups].map(([group, all]) => [
        group,
        {
          topics: all.map(({ channel }) => channels[lastOf(channel.$ref)]?.address ?? '').toSorted(),
          wireTypes: all.flatMap(wireTypesOf).toSorted(),
        },
      ]),
    ),
  };
}

const lastOf = (reference: string): string => reference.split('/').at(-1) ?? '';
const wireTypesOf = ({ messages }: Operation): readonly string[] =>
  messages.map(({ $ref }) => `millrace.${lastOf($ref)}`);
