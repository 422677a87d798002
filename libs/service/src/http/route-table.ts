import type { FastifyInstance } from 'fastify';
import { noSuchRoute } from './problem-of.ts';
import { pathOf } from './send-problem.ts';

interface KnownRoute {
  readonly url: string;
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

const routesByServer = new WeakMap<FastifyInstance, readonly KnownRoute[]>();

/** The routes of a server that refuses unknown ones, as they were added. */
export function routesOf(fastify: FastifyInstance): readonly KnownRoute[] {
  return routesByServer.get(fastify) ?? [];
}

/** Tells a wrong method (405, with `Allow`) from a wrong path (404). Call it before the first route is added. */
export function refuseUnknownRoutes(fastify: FastifyInstance): void {
  const routes: KnownRoute[] = [];
  routesByServer.set(fastify, routes);
  fastify.addHook('onRoute', ({ url, method }) => {
    routes.push({ url, pattern: patternOf(url), methods: [method].flat() });
  });
  // After every onRequest hook, so that refused requests are traced and measured too, and before a body is read.
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    if (!request.is404) return done(null, payload);
    const path = pathOf(request);
    const allowed = new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods));
    return done(noSuchRoute(request.method, path, [...allowed].toSorted()));
  });
}

function patternOf(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment.startsWith(':')) return '[^/]+';
    return segment === '*' ? '.*' : segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  });
  return new RegExp(`^${segments.join('/')}$`);
}
