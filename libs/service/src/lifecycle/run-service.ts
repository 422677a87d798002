import type { DynamicModule } from '@nestjs/common';
import { createLogger, type Logger } from '@millrace/observability';
import type { BaseConfig } from '../config/base-config.ts';
import { ConfigError } from '../config/load-config.ts';
import type { HttpOptions } from './create-service-app.ts';
import { type RunningService, startService } from './start-service.ts';

export interface RunServiceOptions<C extends BaseConfig> {
  readonly name: string;
  /** The configuration, or how to read it: a `ConfigError` becomes one message on standard error. */
  readonly config: C | (() => C);
  readonly module: DynamicModule | ((config: C) => DynamicModule);
  readonly http?: HttpOptions;
}

// Orchestrators kill 20 to 30 s after they asked; this process wants to say itself that it did not finish.
const STOP_WITHIN_MS = 15_000;

// A terminal signals the whole process group and a launcher passes the same signal on: one wish, heard twice.
const SAME_SIGNAL_MS = 500;

/**
 * The whole life of a service's process, which it owns: it resolves when the service has started, and from then on ends
 * the process. Exit 0 after SIGTERM or SIGINT; 1 when it could not start, could not stop within 15 s, was signalled
 * twice, met an unhandled error, or lost a consumer for good.
 */
export async function runService<C extends BaseConfig>(options: RunServiceOptions<C>): Promise<void> {
  const { name, module, http } = options;
  const config = readConfig(options);
  const logger = createLogger({ service: name, level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });
  const service = Promise.withResolvers<RunningService>();
  const stop = stopOnce(service.promise, logger);

  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => exitFailed(logger, `${name} met an error that nobody handles`, error));
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => stop(0, `${signal}: ${name} stops`));
  }
  try {
    service.resolve(
      await startService({
        name,
        config,
        module: typeof module === 'function' ? module(config) : module,
        ...(http === undefined ? {} : { http }),
        onFatal: (error) => stop(1, `${name} stops because a consumer died for good`, error),
      }),
    );
  } catch (error) {
    exitFailed(logger, ...whyNotStarted(name, config, error));
  }
}

function readConfig<C extends BaseConfig>({ name, config }: RunServiceOptions<C>): C {
  if (typeof config !== 'function') return config;
  try {
    return config();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name} cannot start. ${error.message}\n`);
    process.exit(1);
  }
}

function stopOnce(service: Promise<RunningService>, logger: Logger) {
  let askedAtMs: number | undefined;
  return (code: number, message: string, error?: Error): void => {
    if (askedAtMs !== undefined) {
      if (performance.now() - askedAtMs > SAME_SIGNAL_MS) exitFailed(logger, 'asked to stop again: exits at once');
      return;
    }
    askedAtMs = performance.now();
    logger[code === 0 ? 'info' : 'fatal']({ err: error }, message);
    setTimeout(
      () => exitFailed(logger, `could not stop within ${STOP_WITHIN_MS / 1000} s: exits at once`),
      STOP_WITHIN_MS,
    );
    void service
      .then((running) => running.stop())
      .then(
        () => process.exit(code),
        (failure: unknown) => exitFailed(logger, 'could not stop cleanly', failure),
      );
  };
}

function whyNotStarted(name: string, config: BaseConfig, error: unknown): [message: string, error?: unknown] {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const address = `${config.HTTP_HOST}:${config.HTTP_PORT}`;
  switch (code) {
    case 'EADDRINUSE':
      return [`${name} cannot start: ${address} is taken. Stop what listens there or set HTTP_PORT to another port.`];
    case 'EACCES':
      return [`${name} cannot start: this user may not listen at ${address}. Set HTTP_PORT to 1024 or higher.`];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [`${name} cannot start: this machine has no address ${config.HTTP_HOST}. Correct HTTP_HOST.`];
    default:
      return [`${name} cannot start`, error];
  }
}

function exitFailed(logger: Logger, message: string, error?: unknown): never {
  logger.fatal({ err: error }, message);
  process.exit(1);
}
