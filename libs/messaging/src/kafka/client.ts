import { connect } from 'node:net';
import type { Logger } from '@millrace/observability';
import { type ISocketFactory, Kafka, type logCreator, logLevel } from 'kafkajs';

export type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: Logger;
  /** For a caller that tries again by itself and must soon be told that Kafka is away; 60 unless said. */
  readonly retries?: number;
}

// kafkajs chooses its retry defaults by NODE_ENV; ours are the same everywhere. Sixty tries of at most a second bridge the
// change of a leader or a restarted broker; whoever calls has a deadline of its own.
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 };

const KEEP_ALIVE_AFTER_MS = 60_000;

/** A Kafka client whose log lines go to our logger. kafkajs stays behind this folder. */
export function createKafka({ brokers, clientId, logger, retries = RETRY.retries }: KafkaOptions): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 1000,
    requestTimeout: 5000,
    retry: { ...RETRY, retries },
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: logInto(logger),
  });
}

// As kafkajs connects, but without Nagle's algorithm: a request that follows another one would wait for the answer to the first.
const socketFactory: ISocketFactory = ({ host, port, onConnect }) =>
  connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS }, onConnect);

function logInto(logger: Logger): logCreator {
  return () =>
    ({ level, log: { message, error, groupId, topic, broker } }) => {
      const fields = {
        error: error as unknown,
        groupId: groupId as unknown,
        topic: topic as unknown,
        broker: broker as unknown,
      };
      // kafkajs calls every lost connection an error; it retries by itself, and what it gives up reaches us as an exception.
      if (level <= logLevel.WARN) logger.debug(fields, `kafka client: ${message}`);
      else logger.trace(fields, `kafka client: ${message}`);
    };
}
