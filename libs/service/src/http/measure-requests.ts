import type { Metrics } from '@millrace/observability';
import type { FastifyInstance } from 'fastify';

// From an answer out of memory to the longest a client waits.
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

// What proxies write down for a caller that hung up before there was an answer.
const CLIENT_CLOSED_REQUEST = 499;

/** Times every request by method, route pattern and status. Paths without a route share one series. */
export function measureRequests(fastify: FastifyInstance, metrics: Metrics): void {
  const histogram = metrics.histogram({
    name: 'http_server_requests_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labels: ['method', 'route', 'status'],
    buckets: BUCKETS_SECONDS,
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const { method, routeOptions } = request;
    reply.raw.once('close', () => {
      const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_CLOSED_REQUEST;
      histogram.observe({ method, route: routeOptions.url ?? 'unmatched', status }, reply.elapsedTime / 1000);
    });
    done();
  });
}
