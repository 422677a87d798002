import { type AnyMessage, encode, newId } from '@millrace/contracts';
import type { Transaction } from '@millrace/database';
import type { Span } from '@opentelemetry/api';
import type { Decision, DecisionContext } from '../handlers/decision.ts';
import type { StateStore } from '../handlers/state-store.ts';
import { type OutboxRecord, recordOf } from '../outbox/outbox.ts';
import { traceparentFor } from '../spans/process-span.ts';

/** What became of one message of a batch. */
export type Verdict<State> =
  | { readonly kind: 'decided'; readonly decision: Decision<State>; readonly records: readonly OutboxRecord[] }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Not decided, because an earlier message of its key failed and will be tried again. */
  | { readonly kind: 'behind' };

/** A batch that was decided, and is not saved yet. */
export interface Decided<State> {
  /** One for each message, in their order. */
  readonly verdicts: readonly Verdict<State>[];
  /** Writes the states that changed. To be called once, in the same transaction. */
  readonly save: () => Promise<void>;
}

export interface DecideFacts<Message> {
  readonly service: string;
  readonly now: Date;
  readonly spanOf?: (message: Message) => Span | undefined;
  /** Whether a message that failed so is tried again later, with its key waiting behind it. Nobody waits unless said. */
  readonly parks?: (message: Message, error: unknown) => boolean;
}

/**
 * Loads the states of a batch and decides message by message in order: the heart of the runtime. A decision that throws, or says what its
 * contract refuses, fails alone: its state stays as it was and those of other keys go on.
 */
export async function decideAll<State, Message extends AnyMessage>(
  tx: Transaction,
  store: StateStore<State, Message>,
  messages: readonly Message[],
  decide: (state: State, message: Message, context: DecisionContext) => Decision<State>,
  facts: DecideFacts<Message>,
): Promise<Decided<State>> {
  const states = await store.load(tx, messages, { lock: true });
  const context: DecisionContext = { now: facts.now, newId };
  const waiting = new Set<string>();
  const verdicts = messages.map((message): Verdict<State> => {
    if (waiting.has(message.key)) return { kind: 'behind' };
    try {
      const decision = decide(states.of(message), message, context);
      const traceparent = traceparentFor(facts.spanOf?.(message), message);
      const records = decision.messages.map((said) =>
        recordOf(
          encode(said, {
            id: newId(),
            source: facts.service,
            time: facts.now,
            correlationId: message.correlationId,
            causationId: message.id,
            traceparent,
          }),
        ),
      );
      states.change(message, decision.state);
      return { kind: 'decided', decision, records };
    } catch (error) {
      if (facts.parks?.(message, error)) waiting.add(message.key);
      return { kind: 'failed', error };
    }
  });
  return { verdicts, save: () => states.save(tx) };
}
