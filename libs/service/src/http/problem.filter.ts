import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import { LOGGER, type Logger } from '@millrace/observability';
import { context } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from './problem.ts';
import { problemOf } from './problem-of.ts';
import { pathOf, sendProblem } from './send-problem.ts';
import { contextOfRequest } from './trace-requests.ts';

/** Renders every error of an HTTP request as a problem, and logs those that are this service's fault. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(@Inject(LOGGER) logger: Logger) {
    this.#logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = problemOf(error);
    // An error of the body parser comes from the connection, outside the context of the request.
    context.with(contextOfRequest(request), () => this.#log(problem, request));
    if (reply.raw.headersSent) {
      // Half an answer is on its way; only a broken connection tells the caller that it is not the whole.
      reply.raw.destroy();
      return;
    }
    sendProblem(problem, request, reply);
  }

  #log(problem: Problem, request: FastifyRequest): void {
    const about = { method: request.method, path: pathOf(request), status: problem.status };
    if (problem.status >= 500 && problem.cause !== undefined) {
      const level = problem.status === 503 ? 'warn' : 'error';
      this.#logger[level]({ ...about, err: problem.cause }, `request failed: ${problem.title}`);
    } else {
      this.#logger.debug(about, `request refused: ${problem.title}`);
    }
  }
}
