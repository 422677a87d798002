import 'reflect-metadata';
import { Controller, Get, Global, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientKafka, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/prisma/client.ts';
import { settings } from './settings.ts';
import { Publisher } from './publisher.ts';

// Of Prisma's interactive transactions. Its own 2 s and 5 s turn a busy moment into failed orders, and a failed handler into a
// lost message.
const TRANSACTION = { maxWait: 30_000, timeout: 60_000 };
const POOL_SIZE = 10;

@Controller('health')
class HealthController {
  @Get('ready')
  ready(): { readonly status: 'ok' } {
    return { status: 'ok' };
  }
}

/** Runs a service: Express for people, Kafka for the others. */
export async function runService(name: string, capability: Type): Promise<void> {
  const { databaseUrl, brokers, httpPort } = settings();
  const client = { clientId: name, brokers: [...brokers] };

  @Global()
  @Module({
    providers: [
      Publisher,
      { provide: PrismaClient, useFactory: () => prismaOf(databaseUrl) },
      { provide: ClientKafka, useFactory: () => new ClientKafka({ client, producerOnlyMode: true }) },
    ],
    exports: [Publisher, PrismaClient],
  })
  class Platform {}

  @Module({ imports: [Platform, capability], controllers: [HealthController] })
  class Service {}

  const app = await NestFactory.create(Service, { logger: ['warn', 'error'] });
  app.connectMicroservice<MicroserviceOptions>({
    transport: Transport.KAFKA,
    options: {
      client,
      consumer: { groupId: name, allowAutoTopicCreation: false },
      // A new group would begin at the end, and miss what was said before it had joined.
      subscribe: { fromBeginning: true },
      // Nest's default is one message at a time in the whole process. So that nobody can say that the baseline was held back: one
      // at a time in each of its six partitions.
      run: { partitionsConsumedConcurrently: 6 },
    },
  });
  app.enableShutdownHooks();
  await app.startAllMicroservices();
  await app.listen(httpPort, '127.0.0.1');
}

/** Prisma on its usual adapter. */
export function prismaOf(url: string): PrismaClient {
  return new PrismaClient({
    adapter: new PrismaPg({ connectionString: url, max: POOL_SIZE }),
    transactionOptions: TRANSACTION,
  });
}
