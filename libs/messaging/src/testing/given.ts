import { type AnyContract, type BodyOf, type MessageOf, newId, type Said } from '@millrace/contracts';
import type { Decision, DecisionContext } from '../handlers/decision.ts';
import type { Decidable } from '../handlers/local-message.ts';

/** A message as if it had been heard. */
export function heard<C extends AnyContract>(
  contract: C,
  body: BodyOf<C>,
  facts: { readonly time?: Date; readonly source?: string } = {},
): MessageOf<C> {
  const id = newId();
  return {
    id,
    type: contract.type,
    key: contract.keyOf(body),
    body,
    source: facts.source ?? 'test',
    time: facts.time ?? new Date(0),
    correlationId: id,
  } as unknown as MessageOf<C>;
}

/**
 * Given a state, when messages arrive, then a state and what was said: the story of a decision.
 * `now` may be moved between messages with `at`.
 */
export function given<State, Message extends Decidable>(
  decide: (state: State, message: Message, context: DecisionContext) => Decision<State>,
  initial: State,
): Story<State, Message> {
  let state = initial;
  let now = new Date('2026-01-01T00:00:00.000Z');
  const said: Said[] = [];
  let refused: string | undefined;
  const story: Story<State, Message> = {
    at(time) {
      now = time;
      return story;
    },
    when(...messages) {
      for (const message of messages) {
        const decision = decide(state, message, { now, newId });
        state = decision.state;
        refused = decision.refused;
        said.push(...decision.messages);
      }
      return story;
    },
    get state() {
      return state;
    },
    get said() {
      return said.map(({ contract, body }) => ({ type: contract.type, body }));
    },
    get saidTypes() {
      return said.map(({ contract }) => contract.type);
    },
    get refused() {
      return refused;
    },
  };
  return story;
}

/** See `given`. */
export interface Story<State, Message> {
  at(time: Date): Story<State, Message>;
  when(...messages: readonly Message[]): Story<State, Message>;
  readonly state: State;
  readonly said: readonly { readonly type: string; readonly body: unknown }[];
  readonly saidTypes: readonly string[];
  /** Why the last message was refused. */
  readonly refused: string | undefined;
}
