import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Database } from '@millrace/database';
import { createLogger, Health, LOGGER, type Logger, Metrics } from '@millrace/observability';
import type { BaseConfig } from './config/base-config.ts';
import { databaseCheck } from './health/database-check.ts';
import { HealthController } from './health/health.controller.ts';
import { ProblemFilter } from './http/problem.filter.ts';

export interface ServiceModuleOptions {
  /** The service as logs, traces and the database's session list call it, such as `order`. */
  readonly name: string;
  readonly config: BaseConfig;
  /** The service's capabilities. */
  readonly imports: NonNullable<ModuleMetadata['imports']>;
}

@Module({})
class ServiceModule {}

@Module({})
class PlatformModule {}

/**
 * The root module of a service. Everywhere in it `LOGGER`, `Metrics`, `Health` and `Database` can be injected. The
 * database is closed by `startService`, after everything that uses it.
 */
export function serviceModule({ name, config, imports }: ServiceModuleOptions): DynamicModule {
  return { module: ServiceModule, imports: [platform(name, config), ...imports] };
}

function platform(name: string, config: BaseConfig): DynamicModule {
  return {
    module: PlatformModule,
    global: true,
    controllers: [HealthController],
    providers: [
      {
        provide: LOGGER,
        useFactory: () => createLogger({ service: name, level: config.LOG_LEVEL, pretty: config.LOG_PRETTY }),
      },
      { provide: Metrics, useFactory: () => new Metrics() },
      {
        provide: Database,
        inject: [LOGGER],
        useFactory: (logger: Logger) =>
          new Database({
            url: config.DATABASE_URL,
            applicationName: name,
            poolSize: config.DATABASE_POOL_SIZE,
            onConnectionLost: (err) => logger.warn({ err }, 'lost a database session; the pool opens another'),
          }),
      },
      {
        provide: Health,
        inject: [Database],
        useFactory: (database: Database) => {
          const health = new Health();
          health.addReadinessCheck('database', () => databaseCheck(database));
          return health;
        },
      },
      { provide: APP_FILTER, useClass: ProblemFilter },
    ],
    exports: [LOGGER, Metrics, Health, Database],
  };
}
