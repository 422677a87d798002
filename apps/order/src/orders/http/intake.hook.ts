import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Intake } from '../intake.ts';
import { tooBusy } from './problems.ts';

/** Turns requests away before their bodies are read, so that a refusal costs a small part of what it saves. */
@Injectable()
export class IntakeHook implements OnModuleInit {
  readonly #host: HttpAdapterHost;
  readonly #intake: Intake;

  constructor(host: HttpAdapterHost, intake: Intake) {
    this.#host = host;
    this.#intake = intake;
  }

  onModuleInit(): void {
    const fastify = this.#host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onRequest', (request, reply, done) => {
      const turnedAway = this.#lookAt(request, reply);
      if (turnedAway === undefined) done();
      else done(tooBusy(turnedAway));
    });
  }

  #lookAt({ method, routeOptions }: FastifyRequest, reply: FastifyReply): ReturnType<Intake['letIn']> {
    if (method !== 'POST') return undefined;
    if (routeOptions.url === '/orders/:orderId/cancellation') return this.#intake.letCancel();
    if (routeOptions.url !== '/orders') return undefined;
    const turnedAway = this.#intake.letIn();
    // Also when the caller hangs up before there is an answer.
    if (turnedAway === undefined) reply.raw.once('close', () => this.#intake.answered());
    return turnedAway;
  }
}
