import { Inject, Injectable } from '@nestjs/common';
import { Database, type Transaction } from '@millrace/database';
import type { Decision } from '../handlers/decision.ts';
import type { Decider } from '../handlers/handler.ts';
import type { Decidable } from '../handlers/local-message.ts';
import { type OutboxRecord, storeRecords } from '../outbox/outbox.ts';
import { Relay } from '../outbox/relay.ts';
import { decideAll, type Verdict } from './decide-all.ts';
import { type DecideSpans, startDecideSpans } from '../spans/decide-span.ts';
import { MESSAGING_OPTIONS, type MessagingOptions } from './messaging-options.ts';

/** One open transaction in which local messages are decided. */
export interface LocalTransaction {
  readonly tx: Transaction;
  readonly now: Date;
  /**
   * Loads and locks the states, decides in order, saves them, and stores what was said. Rejects with the error of the first
   * decision that fails; the whole transaction is undone then.
   */
  readonly decide: <State, Message extends Decidable>(
    decider: Decider<State, Message>,
    messages: readonly Message[],
  ) => Promise<readonly Decision<State>[]>;
}

/** As `LocalTransaction.decide`, but with a verdict for each message. */
export type DecideAll = <State, Message extends Decidable>(
  decider: Decider<State, Message>,
  messages: readonly Message[],
) => Promise<readonly Verdict<State>[]>;

/**
 * Transactions for what does not come from Kafka: an HTTP request, a deadline. What their decisions say is stored with the
 * change and sent after the commit, exactly as for a heard message.
 */
@Injectable()
export class LocalTransactions {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Relay) private readonly relay: Relay,
    @Inject(MESSAGING_OPTIONS) private readonly options: MessagingOptions,
  ) {}

  /** All of `work` or nothing of it. */
  async run<T>(work: (local: LocalTransaction) => Promise<T>): Promise<T> {
    return this.inTransaction((local) =>
      work({
        tx: local.tx,
        now: local.now,
        decide: async (decider, messages) =>
          (await local.decideAll(decider, messages)).map((verdict) => {
            if (verdict.kind === 'decided') return verdict.decision;
            throw verdict.kind === 'failed' ? verdict.error : new Error('a local message waits for no other');
          }),
      }),
    );
  }

  /** As `run`, but a failing decision leaves the others standing; used where nobody waits for an answer. */
  async inTransaction<T>(
    work: (local: { readonly tx: Transaction; readonly now: Date; readonly decideAll: DecideAll }) => Promise<T>,
  ): Promise<T> {
    const opened: DecideSpans[] = [];
    try {
      const { result, stored } = await this.database.transaction(async (tx) => {
        const now = new Date();
        const said: OutboxRecord[] = [];
        const answer = await work({
          tx,
          now,
          decideAll: async (decider, messages) => {
            const spans = startDecideSpans(messages);
            opened.push(spans);
            const verdicts = await this.#decideInSpans(tx, decider, messages, now, spans);
            for (const verdict of verdicts) if (verdict.kind === 'decided') said.push(...verdict.records);
            return verdicts;
          },
        });
        const kept = await storeRecords(tx, said);
        this.relay.remember(kept);
        return { result: answer, stored: kept };
      });
      this.relay.wake(stored);
      for (const spans of opened) spans.end();
      return result;
    } catch (error) {
      for (const spans of opened) spans.end(error);
      throw error;
    }
  }

  async #decideInSpans<State, Message extends Decidable>(
    tx: Transaction,
    decider: Decider<State, Message>,
    messages: readonly Message[],
    now: Date,
    spans: DecideSpans,
  ): Promise<readonly Verdict<State>[]> {
    try {
      const { verdicts, save } = await decideAll(
        tx,
        decider.store,
        messages,
        (state, message, context) => decider.decide(state, message, context),
        { service: this.options.service, now, spanOf: (message) => spans.of(message) },
      );
      await save();
      verdicts.forEach((verdict, index) => {
        const message = messages[index];
        if (verdict.kind === 'failed' && message !== undefined) spans.fail(message, verdict.error);
      });
      return verdicts;
    } catch (error) {
      // Whoever has a savepoint may go on with other messages in the same transaction.
      spans.end(error);
      throw error;
    }
  }
}
