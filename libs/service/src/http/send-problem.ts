import { isSpanContextValid, trace } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from './problem.ts';
import { contextOfRequest } from './trace-requests.ts';

const TYPE_BASE = 'https://millrace.dev/problems/';

/** Answers with `application/problem+json` (RFC 9457). */
export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  reply
    .status(problem.status)
    .headers({ ...problem.headers, 'content-type': 'application/problem+json' })
    .send(JSON.stringify(problemBody(problem, pathOf(request), traceIdOf(request))));
}

/** The body of a problem. `instance` and `traceId` name this one occurrence. */
export function problemBody(problem: Problem, instance?: string, traceId?: string): object {
  const { type, title, status, detail, errors, members } = problem;
  return { ...members, type: `${TYPE_BASE}${type}`, title, status, detail, instance, traceId, errors };
}

/** The path of the request without its query, which may hold what must not be repeated. */
export function pathOf(request: FastifyRequest): string {
  const end = request.url.indexOf('?');
  return end === -1 ? request.url : request.url.slice(0, end);
}

function traceIdOf(request: FastifyRequest): string | undefined {
  const span = trace.getSpanContext(contextOfRequest(request));
  return span !== undefined && isSpanContextValid(span) ? span.traceId : undefined;
}
