import type { DynamicModule } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Database } from '@millrace/database';
import { MessagingServer } from '@millrace/messaging';
import { Health, LOGGER, type Logger, startTracing, type Tracing } from '@millrace/observability';
import type { BaseConfig } from '../config/base-config.ts';
import { reportUntilReachable } from '../health/database-check.ts';
import { createServiceApp, type HttpOptions } from './create-service-app.ts';

export interface ServiceOptions<C extends BaseConfig = BaseConfig> {
  readonly name: string;
  readonly config: C;
  /** Made by `serviceModule`; used for this one start. */
  readonly module: DynamicModule;
  readonly http?: HttpOptions;
  /** A consumer died for good: nobody but a new process can take over its work. */
  readonly onFatal?: (error: Error) => void;
}

export interface RunningService {
  readonly app: NestFastifyApplication;
  readonly logger: Logger;
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Not ready any more → no new requests, event streams end → consumers finish their batch, commit and leave → the relay
   * is drained → the database and the tracing are closed. Calling it again waits for the same end.
   */
  stop(): Promise<void>;
}

// What a caller still gets to receive an answer that was begun before the stop.
const HTTP_GRACE_MS = 5_000;

/**
 * Listens first, then consumes: a service without its database or Kafka is alive, not ready, says why, and tries again
 * by itself. Rejects when the application cannot be built or the port not be taken, with everything closed.
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { name, config, module, http, onFatal = () => {} } = options;
  let logger: Logger | undefined;
  const tracing = startTracing({
    service: name,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.TRACE_SAMPLE_RATIO,
    warn: (message) => logger?.warn(message),
    info: (message) => logger?.info(message),
  });
  let app: NestFastifyApplication | undefined;
  try {
    app = await createServiceApp(name, module, http);
    logger = app.get<Logger>(LOGGER);
    const messaging = messagingOf(app);
    if (messaging !== undefined) {
      messaging.onFatal(onFatal);
      app.connectMicroservice({ strategy: messaging });
    }
    await app.listen(config.HTTP_PORT, config.HTTP_HOST);
    const url = await app.getUrl();
    logger.info({ url }, `${name} listens at ${url}`);
    void reportUntilReachable(app.get(Database), logger, app.get(Health).draining);
    await app.startAllMicroservices();
    const stop = stopper(app, messaging, tracing);
    return { app, logger, url, stop };
  } catch (error) {
    await (app === undefined ? tracing.shutdown() : stopper(app, undefined, tracing)());
    throw error;
  }
}

function stopper(
  app: NestFastifyApplication,
  messaging: MessagingServer | undefined,
  tracing: Tracing,
): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => (stopped ??= stopInOrder(app, messaging, tracing));
}

async function stopInOrder(
  app: NestFastifyApplication,
  messaging: MessagingServer | undefined,
  tracing: Tracing,
): Promise<void> {
  app.get(Health).startDraining();
  const cutOff = setTimeout(() => app.getHttpServer().closeAllConnections(), HTTP_GRACE_MS);
  // Nest closes the HTTP server and then the transport, whose close finishes the batch and leaves the groups.
  await app.close();
  clearTimeout(cutOff);
  await messaging?.drain();
  await app.get(Database).close();
  await tracing.shutdown();
}

function messagingOf(app: NestFastifyApplication): MessagingServer | undefined {
  try {
    // Unlike the application itself, its ModuleRef does not log what it cannot find.
    return app.get(ModuleRef).get(MessagingServer, { strict: false });
  } catch {
    // A service that only answers HTTP provides none.
    return undefined;
  }
}
