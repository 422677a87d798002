import { createLogger } from '@millrace/observability';
import { ConfigError, type GatewayConfig, readConfig } from '../config.ts';
import { startGateway } from '../gateway.ts';

// Orchestrators kill 10 to 30 s after they asked; this process wants to say itself that it did not finish.
const STOP_WITHIN_MS = 9_000;

function configuration(): GatewayConfig {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`The gateway cannot start. ${error.message}\n`);
    process.exit(1);
  }
}

const config = configuration();
const logger = createLogger({ service: 'gateway', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });

function exitFailed(message: string, error: unknown): never {
  logger.fatal({ err: error }, message);
  process.exit(1);
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => exitFailed('the gateway met an error that nobody handles', error));
}

try {
  const gateway = await startGateway(config, logger);
  const urls = Object.fromEntries(gateway.urls);
  logger.info({ urls, status: gateway.statusUrl }, `the gateway stands in front of ${gateway.urls.size} APIs`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info(`${signal}: the gateway stops`);
      setTimeout(() => exitFailed('could not stop in time: exits at once', undefined), STOP_WITHIN_MS).unref();
      gateway.stop().then(
        () => process.exit(0),
        (error: unknown) => exitFailed('could not stop cleanly', error),
      );
    });
  }
} catch (error) {
  const { code } = error as { readonly code?: unknown };
  exitFailed(
    code === 'EADDRINUSE'
      ? 'the gateway cannot start: a port is taken. Stop what listens there or change GATEWAY_ROUTES or GATEWAY_STATUS_PORT.'
      : 'the gateway cannot start',
    error,
  );
}
