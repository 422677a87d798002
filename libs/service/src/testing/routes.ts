import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { routesOf } from '../http/route-table.ts';

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
