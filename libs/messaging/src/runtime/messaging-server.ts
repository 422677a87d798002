import { Inject, Injectable } from '@nestjs/common';
import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import { Database } from '@millrace/database';
import { Health, LOGGER, type Logger, Metrics } from '@millrace/observability';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Handler } from '../handlers/handler.ts';
import { purgeInbox } from '../inbox/purge.ts';
import { createKafka } from '../kafka/client.ts';
import { Relay } from '../outbox/relay.ts';
import { showParked } from '../parking/parking-metrics.ts';
import type { RetryLoop } from '../parking/retry-loop.ts';
import { Replays } from '../replay/replays.ts';
import { BatchWorker } from './batch-worker.ts';
import { CallWorker } from './call-worker.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { DueLoop } from './due-loop.ts';
import { LocalTransactions } from './local-transactions.ts';
import { MESSAGING_OPTIONS, type MessagingOptions } from './messaging-options.ts';
import { loadPositions } from './projection-position.ts';
import type { GroupContext } from './settlement.ts';

// Old message ids are no hurry; what matters is that they go.
const PURGE_EVERY_MS = 10 * 60 * 1000;

/**
 * The Nest transport of Millrace: every method marked with `@Handles` becomes a consumer group (or a job of due work), and
 * the outbox of the service is relayed.
 *
 * `listen` returns at once and joins in the background, however long Kafka or the database are away; readiness tells why. `close` stops
 * fetching, finishes the batches, commits and leaves the groups; `drain` then empties the outbox.
 */
@Injectable()
export class MessagingServer extends Server implements CustomTransportStrategy {
  readonly #groups: ConsumerGroup[] = [];
  readonly #dues: DueLoop[] = [];
  /** Each is stopped by its group. */
  readonly #retries: RetryLoop[] = [];
  #replays: Replays | undefined;
  #fatal: ((error: Error) => void) | undefined;
  #purge: NodeJS.Timeout | undefined;

  constructor(
    @Inject(MESSAGING_OPTIONS) private readonly options: MessagingOptions,
    @Inject(Database) private readonly database: Database,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(Health) private readonly health: Health,
    @Inject(Relay) private readonly relay: Relay,
    @Inject(LocalTransactions) private readonly local: LocalTransactions,
  ) {
    super();
  }

  /** Hears about an error after which the process must not go on. */
  onFatal(callback: (error: Error) => void): void {
    this.#fatal = callback;
  }

  listen(callback: (error?: unknown) => void): void {
    this.#start().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#purge);
    await Promise.all([
      ...this.#groups.map((group) => group.stop()),
      ...this.#dues.map((due) => due.stop()),
      this.#replays?.stop(),
    ]);
  }

  /** Sends what the outbox still holds; rows that cannot be sent now are safe and are sent after the next start. */
  async drain(): Promise<void> {
    await this.relay.drain();
  }

  on(): never {
    throw new Error('the messaging server has no events to listen to: see onFatal and the readiness checks');
  }

  unwrap<T>(): T {
    return this.#groups as T;
  }

  async #start(): Promise<void> {
    const handlers = await this.#describedHandlers();
    const kafka = createKafka({ brokers: this.options.brokers, clientId: this.options.service, logger: this.log });
    this.relay.start();
    this.health.addReadinessCheck('outbox', () => this.relay.outage);
    for (const [name, handler] of handlers) {
      if (handler.kind === 'due') {
        this.#dues.push(new DueLoop(name, handler, this.local, this.log));
        continue;
      }
      const context: GroupContext = {
        group: name,
        service: this.options.service,
        database: this.database,
        relay: this.relay,
        logger: this.log,
        metrics: this.metrics,
      };
      const group = new ConsumerGroup({
        kafka,
        context,
        topicPrefix: this.options.topicPrefix,
        hears: handler.hears,
        worker: (events) => {
          const worker =
            handler.kind === 'perform'
              ? new CallWorker(context, handler, events)
              : new BatchWorker(context, handler, events);
          this.#retries.push(worker.retries);
          return worker;
        },
        ...(handler.kind === 'project' ? { positions: () => loadPositions(this.database, name) } : {}),
        onFatal: (error) => this.#die(error),
      });
      this.health.addReadinessCheck(`group ${name}`, () => group.outage);
      this.#groups.push(group);
    }
    const { service, topicPrefix } = this.options;
    this.#replays = new Replays({ service, topicPrefix, kafka, database: this.database, logger: this.log, handlers });
    showParked(
      this.metrics,
      this.database,
      this.#groups.map(({ name }) => name),
    );
    for (const started of [...this.#groups, ...this.#dues, ...this.#retries, this.#replays]) started.start();
    this.#purge = setInterval(() => {
      purgeInbox(this.database, new Date()).catch((error: unknown) =>
        this.log.warn({ err: error }, 'the inbox was not purged'),
      );
    }, PURGE_EVERY_MS).unref();
  }

  /** Calls each `@Handles` method once: it describes, the runtime acts. */
  async #describedHandlers(): Promise<readonly (readonly [string, Handler])[]> {
    return Promise.all(
      [...this.messageHandlers].map(async ([name, method]) => {
        const described: unknown = await method(undefined, undefined);
        const handler = isObservable(described) ? await lastValueFrom(described) : described;
        return [name, handler as Handler] as const;
      }),
    );
  }

  #die(error: Error): void {
    this.log.fatal({ err: error }, 'messaging cannot go on');
    this.#fatal?.(error);
  }
}
