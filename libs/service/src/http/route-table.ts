import type { FastifyInstance } from 'fastify';
import { noSuchRoute } from './problem-of.ts';
import { pathOf } from './send-problem.ts';

interface KnownRoute {
  readonly pattern: RegExp;
  readonly methods: readonly string[];
}

/** Tells a wrong method (405, with `Allow`) from a wrong path (404). Call it before the first route is added. */
export function refuseUnknownRoutes(fastify: FastifyInstance): void {
  const routes: KnownRoute[] = [];
  fastify.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: patternOf(url), methods: [method].flat() });
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
