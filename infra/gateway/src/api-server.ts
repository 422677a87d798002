import type { Readable } from 'node:stream';
import replyFrom from '@fastify/reply-from';
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Dispatcher } from 'undici';
import type { Logger } from '@millrace/observability';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { failureOf, refusalOf, sendProblem, tooManyRequests } from './problems.ts';

export interface ApiServerOptions {
  readonly api: string;
  readonly upstream: URL;
  /** Sends to the replicas in turn. */
  readonly dispatcher: Dispatcher;
  readonly maxOpenRequests: number;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Aborts when the gateway is about to stop: event streams end then, so that their readers come back elsewhere. */
  readonly draining: AbortSignal;
}

// Larger than what any service accepts (64 KiB), so that the service itself says what its limit is.
const BODY_LIMIT_BYTES = 1024 * 1024;

// How long a caller may take to send one request. It does not bound answers, so event streams live longer.
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The port of one API. A request is taken in whole, then sent on; its answer is passed on as it comes. Whoever made it listens,
 * and closes it.
 */
export function apiServer(options: ApiServerOptions): FastifyInstance {
  const { api, upstream, dispatcher, maxOpenRequests, metrics, draining } = options;
  const server = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    frameworkErrors: refuse,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.setErrorHandler(refuse);
  void server.register(replyFrom, { base: upstream.origin, undici: dispatcher, disableCache: true });

  server.addHook('onRequest', (request, reply, done) => {
    const isTooMuch = metrics.open(api, reply) > maxOpenRequests;
    if (isTooMuch) sendProblem(tooManyRequests(api, maxOpenRequests), request, reply);
    else done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    // A connection that stays open after the last answer would hold up the stop.
    if (draining.aborted) reply.header('connection', 'close');
    done();
  });
  server.all('/*', (request, reply) => {
    reply.from(undefined, {
      ...bodyOf(request),
      // The library would send a GET again for every 503 of a replica; whom to ask again is decided in take-turns.ts alone.
      retryDelay: () => null,
      rewriteRequestHeaders: (_request, headers) => forwardedBy(request, headers),
      rewriteHeaders: withoutHopByHop,
      onResponse: (_request, _reply, { stream }) => passOn(stream, reply, draining),
      onError: (_reply, { error }) => explain(error, request, reply, options),
    });
    return reply;
  });
  return server;
}

/** The body as it came, byte by byte: without its type the library would take JSON for an object to be written anew. */
function bodyOf({ body, headers }: FastifyRequest): { readonly body?: unknown; readonly contentType?: string } {
  return body === undefined ? {} : { body, contentType: headers['content-type'] ?? 'application/octet-stream' };
}

// What is meant for this connection only (RFC 9110, 7.6.1), and what undici refuses to send.
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade', 'expect', 'trailer'];

function withoutHopByHop<H extends object>(headers: H): H {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name))) as H;
}

/** The gateway is the edge: what a caller claims about who forwarded the request is replaced, not believed. */
function forwardedBy({ ip, headers: { host = '' } }: Pick<FastifyRequest, 'ip' | 'headers'>, headers: object) {
  const { forwarded: _, ...passed }: Record<string, string> = withoutHopByHop({ ...headers });
  return { ...passed, host, 'x-forwarded-for': ip, 'x-forwarded-host': host, 'x-forwarded-proto': 'http' };
}

function passOn(stream: Readable, reply: FastifyReply, draining: AbortSignal): void {
  const isEventStream = String(reply.getHeader('content-type')).startsWith('text/event-stream');
  void reply.send(stream);
  if (!isEventStream) return;
  // The reader learns that the stream is open before there is a first event.
  reply.raw.flushHeaders();
  const end = (): void => {
    stream.unpipe(reply.raw);
    reply.raw.end();
    stream.destroy();
  };
  draining.addEventListener('abort', end, { once: true });
  reply.raw.once('close', () => draining.removeEventListener('abort', end));
}

function explain(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  { api, metrics, logger }: ApiServerOptions,
): void {
  const { reason, problem } = failureOf(api, error.cause ?? error);
  metrics.failure(api, reason);
  logger.warn({ err: error.cause ?? error, api, reason, method: request.method }, `${api} gave no answer: ${reason}`);
  sendProblem(problem, request, reply);
}

function refuse(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(refusalOf(error), request, reply);
}
