import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Agent, type Dispatcher } from 'undici';
import { Health, type Logger, Metrics } from '@millrace/observability';
import { apiServer } from './api-server.ts';
import type { GatewayConfig } from './config.ts';
import { GatewayMetrics } from './gateway-metrics.ts';
import { Replicas, type Resolve, resolveByDns } from './replicas.ts';
import { shopOpen } from './shop-open.ts';
import { statusServer } from './status-server.ts';
import { takeTurns } from './take-turns.ts';

export interface Gateway {
  /** Where each API is, such as `http://127.0.0.1:8080`. */
  readonly urls: ReadonlyMap<string, string>;
  readonly statusUrl: string;
  /** Looks up all replicas now. */
  refresh(): Promise<void>;
  /** Not ready any more → no new connections, event streams end → open requests get their answers, for 5 s → closed. */
  stop(): Promise<void>;
}

// A replica on the same network answers a connection within milliseconds or not at all.
const CONNECT_TIMEOUT_MS = 2_000;

// What a caller still gets to receive an answer that was begun before the stop.
const GRACE_MS = 5_000;

/** Listens on every port. Rejects when one cannot be taken, with everything closed. */
export async function startGateway(
  config: GatewayConfig,
  logger: Logger,
  resolve: Resolve = resolveByDns,
): Promise<Gateway> {
  const health = new Health();
  const metrics = new Metrics();
  const routes = config.GATEWAY_ROUTES.map(({ api, port, upstream }) => {
    const intervalMs = config.GATEWAY_RESOLVE_INTERVAL_MS;
    return { api, port, upstream, replicas: new Replicas({ upstream, resolve, intervalMs, logger }) };
  });
  const counts = new GatewayMetrics(metrics, new Map(routes.map(({ api, replicas }) => [api, replicas])));
  const apis = routes.map((route) => {
    const { api, upstream, replicas } = route;
    const dispatcher = dispatcherTo(replicas, config, () => counts.retry(api));
    if (api === config.GATEWAY_ORDER_API) health.addReadinessCheck('shop', shopOpen(dispatcher, upstream.origin));
    const server = apiServer({
      api,
      upstream,
      dispatcher,
      maxOpenRequests: config.GATEWAY_MAX_OPEN_REQUESTS,
      metrics: counts,
      logger,
      draining: health.draining,
    });
    return { ...route, dispatcher, server };
  });
  const status = statusServer(health, metrics);

  const stop = async (): Promise<void> => {
    health.startDraining();
    const servers = [status, ...apis.map(({ server }) => server)];
    const cutOff = setTimeout(() => {
      for (const { server } of servers) server.closeAllConnections();
    }, GRACE_MS);
    await Promise.all(servers.map(async (server) => server.close()));
    clearTimeout(cutOff);
    for (const { replicas } of apis) replicas.close();
    await Promise.all(apis.map(({ dispatcher }) => dispatcher.destroy()));
  };

  try {
    await Promise.all(apis.map(({ replicas }) => replicas.start()));
    for (const { server, port } of apis) await server.listen({ host: config.HTTP_HOST, port });
    await status.listen({ host: config.HTTP_HOST, port: config.GATEWAY_STATUS_PORT });
  } catch (error) {
    await stop();
    throw error;
  }
  const urls = new Map(apis.map(({ api, server }) => [api, urlOf(server, config.HTTP_HOST)]));
  return {
    urls,
    statusUrl: urlOf(status, config.HTTP_HOST),
    refresh: async () => void (await Promise.all(apis.map(({ replicas }) => replicas.refresh()))),
    stop,
  };
}

function dispatcherTo(replicas: Replicas, config: GatewayConfig, onRetry: () => void): Dispatcher {
  return new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: config.GATEWAY_ANSWER_TIMEOUT_MS,
    bodyTimeout: config.GATEWAY_SILENCE_TIMEOUT_MS,
  }).compose(takeTurns(replicas, onRetry));
}

function urlOf(server: FastifyInstance, host: string): string {
  const { port } = server.server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
