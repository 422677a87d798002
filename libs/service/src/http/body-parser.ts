import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.ts';

/**
 * Accepts JSON only. The bytes stay on the request as `rawBody`, because the signature of a webhook is computed over
 * them. An empty body is no body: whether one is needed is for the route to say.
 */
export function parseJsonBodies(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    Object.assign(request, { rawBody: body });
    if (body.length === 0) return done(null, undefined);
    return parseJson(request, body.toString('utf8'), (error: Error | null, parsed?: unknown) =>
      error === null ? done(null, parsed) : done(invalidJson(error)),
    );
  });
}

function invalidJson(cause: Error): Problem {
  return new Problem({
    status: 400,
    type: 'invalid-json',
    title: 'Invalid JSON',
    detail: `The body is not valid JSON (${cause.message}). Correct it and send the request again.`,
    cause,
  });
}
