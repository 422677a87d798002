import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Health, Metrics } from '@millrace/observability';
import type { FastifyReply } from 'fastify';

/** What an operator's tools ask a process. Callers of the API have no use for it, so the API document is silent on it. */
@ApiExcludeController()
@Controller()
export class HealthController {
  readonly #health: Health;
  readonly #metrics: Metrics;

  constructor(health: Health, metrics: Metrics) {
    this.#health = health;
    this.#metrics = metrics;
  }

  /** Answers as long as the event loop turns: a restart cures nothing else. */
  @Get('/health/live')
  live(): { readonly status: 'live' } {
    return { status: 'live' };
  }

  @Get('/health/ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { ready, checks } = await this.#health.ready();
    await reply
      .status(ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE)
      .header('cache-control', 'no-store')
      .send({ status: ready ? 'ready' : 'not ready', checks });
  }

  @Get('/metrics')
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    await reply.header('content-type', this.#metrics.contentType).send(await this.#metrics.text());
  }
}
