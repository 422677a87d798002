import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseJsonBodies } from './body-parser.ts';
import { Problem } from './problem.ts';
import { problemOf } from './problem-of.ts';
import { refuseUnknownRoutes } from './route-table.ts';
import { problemBody, sendProblem } from './send-problem.ts';
import { startServerSpan, traceRequests } from './trace-requests.ts';

// Orders are a few KiB; what is larger is a mistake or an attack.
export const DEFAULT_BODY_LIMIT_BYTES = 64 * 1024;

// Longer than any id or cursor, short enough to refuse garbage before it reaches a query.
const MAX_PARAM_LENGTH = 512;

// How long a caller may take to send one request. It does not bound answers, so event streams live longer.
const REQUEST_TIMEOUT_MS = 30_000;

/** Fastify under Nest: traced, bounded, JSON only, and every refusal a problem. */
export function httpServer({ bodyLimit }: { readonly bodyLimit: number }): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // A stopping server finishes what still arrives on open connections and asks their owners to close them.
    return503OnClosing: false,
    trustProxy: false,
    frameworkErrors: refuseBeforeRouting,
    clientErrorHandler: refuseUnreadable,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    done();
  });
  traceRequests(fastify);
  refuseUnknownRoutes(fastify);
  parseJsonBodies(fastify);
  return adapter;
}

/** A malformed URL or an over-long parameter: the router refuses it before any hook runs. */
function refuseBeforeRouting(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  startServerSpan(request, reply);
  reply.header('x-content-type-options', 'nosniff');
  sendProblem(problemOf(error), request, reply);
}

/** What Node could not read as HTTP: there is no request to answer, only a socket. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = unreadable(error.code);
  const body = JSON.stringify(problemBody(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function unreadable(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem({
      status: 408,
      type: 'request-timeout',
      title: 'Request timeout',
      detail: `The request did not arrive within ${REQUEST_TIMEOUT_MS / 1000} s. Send it again, faster.`,
    });
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem({
      status: 431,
      type: 'headers-too-large',
      title: 'Headers too large',
      detail: 'The headers are larger than this service accepts. Send fewer or shorter ones.',
    });
  }
  return new Problem({
    status: 400,
    type: 'malformed-http',
    title: 'Malformed HTTP',
    detail: 'What was sent is not an HTTP/1.1 request. Check the client.',
  });
}
