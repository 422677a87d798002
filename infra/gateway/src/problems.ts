import type { FastifyReply, FastifyRequest } from 'fastify';

/** An RFC 9457 problem in the words of the services, so that callers need not care who answered. */
export interface Problem {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
}

const TYPE_BASE = 'https://millrace.dev/problems/';

export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  const { status, type, title, detail, retryAfter } = problem;
  const instance = request.url.split('?', 1)[0];
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
  void reply
    .status(status)
    .header('content-type', 'application/problem+json')
    .header('x-content-type-options', 'nosniff')
    .send(JSON.stringify({ type: `${TYPE_BASE}${type}`, title, status, detail, instance }));
}

export type FailureReason = 'no-replica' | 'unreachable' | 'timeout' | 'broken';

export interface Failure {
  readonly reason: FailureReason;
  readonly problem: Problem;
}

/** What to tell the caller when a request got no answer: whether it may have been acted on, and what to do. */
export function failureOf(api: string, error: unknown): Failure {
  const { code, wasSent } = (error ?? {}) as { readonly code?: unknown; readonly wasSent?: unknown };
  if (code === 'NO_REPLICA') {
    const detail = `No replica of the ${api} service is running. Nothing was sent; start one, or try again in a few seconds.`;
    return { reason: 'no-replica', problem: unavailable(detail) };
  }
  if (wasSent === false) {
    const detail = `No replica of the ${api} service can be reached. Nothing was sent; try again in a few seconds.`;
    return { reason: 'unreachable', problem: unavailable(detail) };
  }
  const mayHaveHappened =
    'The request may have been acted on: look, or send it again with the same idempotency-key, which does nothing twice.';
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    const detail = `The ${api} service did not answer in time. ${mayHaveHappened}`;
    return { reason: 'timeout', problem: { status: 504, type: 'gateway-timeout', title: 'Gateway timeout', detail } };
  }
  const detail = `The ${api} service broke off before it answered. ${mayHaveHappened}`;
  return { reason: 'broken', problem: { status: 502, type: 'bad-gateway', title: 'Bad gateway', detail } };
}

export const tooManyRequests = (api: string, max: number): Problem =>
  unavailable(`${max} requests to the ${api} service are open already. Nothing was sent; try again in a second.`);

/** What Fastify refuses before anything is sent on: a malformed path, a body that is too large or was cut off. */
export function refusalOf(error: { readonly statusCode?: number; readonly message: string }): Problem {
  const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 400;
  return status === 413
    ? {
        status,
        type: 'body-too-large',
        title: 'Body too large',
        detail: 'The body is larger than any of the services accepts. Send less.',
      }
    : {
        status,
        type: 'malformed-http',
        title: 'Malformed request',
        detail: `${error.message}. Correct the request and send it again.`,
      };
}

function unavailable(detail: string): Problem {
  return { status: 503, type: 'service-unavailable', title: 'Service unavailable', detail, retryAfter: 1 };
}
