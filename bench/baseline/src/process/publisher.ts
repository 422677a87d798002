import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ClientKafka } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import type { Messages, Topic } from '../messages.ts';

/** Publishes after a commit. A process that dies between the two has changed its state and told nobody. */
@Injectable()
export class Publisher implements OnModuleInit, OnApplicationShutdown {
  readonly #client: ClientKafka;

  constructor(client: ClientKafka) {
    this.#client = client;
  }

  async onModuleInit(): Promise<void> {
    await this.#client.connect();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client.close();
  }

  /** Resolves when the broker has it. */
  async emit<T extends Topic>(topic: T, message: Messages[T]): Promise<void> {
    await lastValueFrom(this.#client.emit(topic, { key: message.orderId, value: message }), {
      defaultValue: undefined,
    });
  }
}
