import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { LOGGER, type Logger, Metrics } from '@millrace/observability';
import { DEFAULT_BODY_LIMIT_BYTES, httpServer } from '../http/http-server.ts';
import { measureRequests } from '../http/measure-requests.ts';
import { type OpenApiOptions, serveDocs } from '../openapi/serve-docs.ts';
import { NestLogger } from './nest-logger.ts';

export interface HttpOptions {
  readonly openApi?: OpenApiOptions;
  /** The largest body accepted, in bytes; 64 KiB unless given. */
  readonly bodyLimit?: number;
}

/** The service's Nest application, not yet listening. Whoever made it closes it, and its `Database` after that. */
export async function createServiceApp(
  name: string,
  module: DynamicModule,
  { openApi = {}, bodyLimit = DEFAULT_BODY_LIMIT_BYTES }: HttpOptions = {},
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(module, httpServer({ bodyLimit }), {
    bodyParser: false,
    bufferLogs: true,
    abortOnError: false,
  });
  app.useLogger(new NestLogger(app.get<Logger>(LOGGER)));
  measureRequests(app.getHttpAdapter().getInstance(), app.get(Metrics));
  serveDocs(app, name, openApi);
  return app;
}
