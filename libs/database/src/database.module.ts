import { type DynamicModule, Module } from '@nestjs/common';
import { Database, type DatabaseOptions } from './database.ts';

/**
 * Provides one `Database` to every module. It does not close it: handlers, relay and HTTP still need it while they
 * stop, so the service runtime closes it last.
 */
@Module({})
export class DatabaseModule {
  static forRoot(options: DatabaseOptions): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [{ provide: Database, useFactory: () => new Database(options) }],
      exports: [Database],
    };
  }
}
