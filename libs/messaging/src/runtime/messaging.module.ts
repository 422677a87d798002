import { type DynamicModule, Module } from '@nestjs/common';
import { Database } from '@millrace/database';
import { LOGGER, type Logger, Metrics } from '@millrace/observability';
import { armFailpoint } from '../failpoints.ts';
import { createKafka } from '../kafka/client.ts';
import { RecordProducer } from '../kafka/record-producer.ts';
import { Relay } from '../outbox/relay.ts';
import { LocalTransactions } from './local-transactions.ts';
import { MESSAGING_OPTIONS, type MessagingOptions } from './messaging-options.ts';
import { MessagingServer } from './messaging-server.ts';

// kafkajs tries each of its own tries so often: about three seconds with Kafka away, until the relay tells and tries again.
const RELAY_RETRIES = 3;

/**
 * Brings the messaging runtime into a service. It needs `Database`, `Metrics`, `Health` and `LOGGER` from a global module.
 * Whoever runs the application attaches `MessagingServer` as a microservice.
 */
@Module({})
export class MessagingModule {
  static forRoot(options: MessagingOptions): DynamicModule {
    if (options.failpoint !== undefined) armFailpoint(options.failpoint);
    return {
      module: MessagingModule,
      global: true,
      providers: [
        { provide: MESSAGING_OPTIONS, useValue: options },
        {
          provide: Relay,
          inject: [Database, LOGGER, Metrics],
          useFactory: (database: Database, logger: Logger, metrics: Metrics) =>
            new Relay({
              database,
              logger,
              metrics,
              service: options.service,
              topicPrefix: options.topicPrefix,
              producer: new RecordProducer(
                createKafka({
                  brokers: options.brokers,
                  clientId: `${options.service}-relay`,
                  logger,
                  retries: RELAY_RETRIES,
                }),
              ),
            }),
        },
        LocalTransactions,
        MessagingServer,
      ],
      exports: [LocalTransactions, MessagingServer],
    };
  }
}
