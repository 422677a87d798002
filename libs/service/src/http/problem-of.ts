import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { isDatabaseUnavailable, isTransactionConflict } from '@millrace/database';
import { Problem, type ProblemOptions } from './problem.ts';

// The caller may try again this soon: a database that restarts is back within seconds, and the retry is cheap.
const RETRY_AFTER_SECONDS = 1;

// What Fastify refuses by itself. Bodies that it cannot parse have their own problem, made where they are parsed.
const FASTIFY_PROBLEMS: Readonly<Record<string, Omit<ProblemOptions, 'cause'>>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    type: 'unsupported-media-type',
    title: 'Unsupported media type',
    detail: 'Send the body as JSON, with the header "Content-Type: application/json".',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    type: 'body-too-large',
    title: 'Body too large',
    detail: 'The body is larger than this service accepts. Send less in one request.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    type: 'invalid-content-length',
    title: 'Invalid content length',
    detail: 'The body is not as long as the header "Content-Length" says. Send the right length.',
  },
  FST_ERR_BAD_URL: {
    status: 400,
    type: 'invalid-url',
    title: 'Invalid URL',
    detail: 'The path is not a valid URL. Percent-encode it as UTF-8.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    status: 414,
    type: 'path-too-long',
    title: 'Path too long',
    detail: 'A part of the path is longer than any id this service knows. Check the id.',
  },
};

/** The answer to any error. What is not known to be meant for the caller becomes a 500 that says nothing about it. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const known = FASTIFY_PROBLEMS[fastifyCodeOf(error)];
  if (known !== undefined) return new Problem({ ...known, cause: error });
  if (error instanceof HttpException && error.getStatus() < 500) return fromHttpException(error);
  if (isDatabaseUnavailable(error)) return databaseUnavailable(error);
  if (isTransactionConflict(error)) return databaseBusy(error);
  return new Problem({
    status: 500,
    type: 'internal-error',
    title: 'Internal error',
    detail: 'The request failed because of a fault in this service. Report it with the "traceId" of this answer.',
    cause: error,
  });
}

/** 404 for a path that no route has, 405 when it has some but not for this method. */
export function noSuchRoute(method: string, path: string, allowedMethods: readonly string[]): Problem {
  if (allowedMethods.length === 0) {
    return new Problem({
      status: 404,
      type: 'not-found',
      title: 'Not found',
      detail: `There is nothing at ${path}. /docs lists what this service answers.`,
    });
  }
  const allow = allowedMethods.join(', ');
  return new Problem({
    status: 405,
    type: 'method-not-allowed',
    title: 'Method not allowed',
    detail: `${path} does not answer ${method}. Use ${allow}.`,
    headers: { allow },
  });
}

function databaseUnavailable(cause: unknown): Problem {
  return new Problem({
    status: 503,
    type: 'database-unavailable',
    title: 'Database unavailable',
    detail: 'The service cannot reach its database at the moment. Send the same request again after "Retry-After".',
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
    cause,
  });
}

/** The transaction lost a race or took too long, and was undone: a fault of the load, not of the service. */
function databaseBusy(cause: unknown): Problem {
  return new Problem({
    status: 503,
    type: 'database-busy',
    title: 'Database busy',
    detail:
      'The database did not get to this request in time, and nothing was done. Send the same request again after "Retry-After".',
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
    cause,
  });
}

function fromHttpException(error: HttpException): Problem {
  const status = error.getStatus();
  const title = STATUS_CODES[status] ?? 'Client error';
  const type = title.toLowerCase().replaceAll(/[^a-z]+/g, '-');
  return new Problem({ status, type, title, detail: error.message, cause: error });
}

function fastifyCodeOf(error: unknown): string {
  const origin = error instanceof HttpException ? error.cause : error;
  return origin instanceof Error && 'code' in origin && typeof origin.code === 'string' ? origin.code : '';
}
