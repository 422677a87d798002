import { fastify, type FastifyInstance } from 'fastify';
import type { Health, Metrics } from '@millrace/observability';

/** Health and metrics of the gateway itself, on a port of their own: the others belong to the APIs, whole. */
export function statusServer(health: Health, metrics: Metrics): FastifyInstance {
  const server = fastify({ return503OnClosing: false });
  server.get('/health/live', () => ({ status: 'live' }));
  server.get('/health/ready', async (_request, reply) => {
    const { ready, checks } = await health.ready();
    return reply
      .status(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: ready ? 'ready' : 'not ready', checks });
  });
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.text()),
  );
  return server;
}
