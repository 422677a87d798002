import type { Metrics } from '@millrace/observability';
import type { FastifyReply } from 'fastify';
import type { FailureReason } from './problems.ts';

// From an answer that a replica has ready to the longest that the gateway waits for one.
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

// What proxies write down for a caller that hung up before there was an answer.
const CLIENT_CLOSED_REQUEST = 499;

/** What the gateway counts, by API. */
export class GatewayMetrics {
  readonly #requests;
  readonly #failures;
  readonly #retries;
  readonly #open = new Map<string, number>();

  constructor(metrics: Metrics, replicas: ReadonlyMap<string, { readonly count: number }>) {
    this.#requests = metrics.histogram({
      name: 'http_server_requests_seconds',
      help: 'Time until the answer to a request begins, by class of its status',
      labels: ['api', 'status'],
      buckets: BUCKETS_SECONDS,
    });
    this.#failures = metrics.counter({
      name: 'gateway_upstream_failures_total',
      help: 'Requests that no replica answered, by reason',
      labels: ['api', 'reason'],
    });
    this.#retries = metrics.counter({
      name: 'gateway_retries_total',
      help: 'Requests that were sent to another replica because one could not be reached or broke off',
      labels: ['api'],
    });
    metrics.gauge({
      name: 'gateway_replicas',
      help: 'Replicas that the resolver knows',
      labels: ['api'],
      collect: (gauge) => {
        for (const [api, { count }] of replicas) gauge.set({ api }, count);
      },
    });
    metrics.gauge({
      name: 'gateway_open_requests',
      help: 'Requests that are not fully answered, event streams among them',
      labels: ['api'],
      collect: (gauge) => {
        for (const api of replicas.keys()) gauge.set({ api }, this.#open.get(api) ?? 0);
      },
    });
  }

  /** Counts one request from now until its answer has ended. Returns how many of the API are open, this one among them. */
  open(api: string, reply: FastifyReply): number {
    const open = (this.#open.get(api) ?? 0) + 1;
    this.#open.set(api, open);
    let isObserved = false;
    const observe = (status: number): void => {
      if (isObserved) return;
      isObserved = true;
      this.#requests.observe({ api, status: `${Math.floor(status / 100)}xx` }, reply.elapsedTime / 1000);
    };
    reply.raw.once('pipe', () => observe(reply.raw.statusCode));
    reply.raw.once('close', () => {
      this.#open.set(api, (this.#open.get(api) ?? 1) - 1);
      observe(reply.raw.headersSent ? reply.raw.statusCode : CLIENT_CLOSED_REQUEST);
    });
    return open;
  }

  failure(api: string, reason: FailureReason): void {
    this.#failures.inc({ api, reason });
  }

  retry(api: string): void {
    this.#retries.inc({ api });
  }
}
