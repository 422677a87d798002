import { Database } from '@millrace/database';
import { Global, Module } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/prisma/client.ts';

/** Provides Prisma's client, for what people read, on the sessions of the service's `Database`, which stays their owner. */
@Global()
@Module({
  providers: [
    {
      provide: PrismaClient,
      inject: [Database],
      useFactory: (database: Database) => new PrismaClient({ adapter: new PrismaPg(database.pool) }),
    },
  ],
  exports: [PrismaClient],
})
export class PrismaModule {}
