import type { AnyContract } from '@millrace/contracts';
import { PermanentFailure } from '../handlers/failures.ts';
import { type Decision, type DecisionContext, unchanged } from '../handlers/decision.ts';
import type { Decidable } from '../handlers/local-message.ts';

/**
 * One cell of a process: what happens when this message arrives in this stage. `to` and `says` are declared beside the
 * function, so that the diagram is drawn from the table and a cell that does something else is caught.
 */
export type Cell<Stage extends string, State, Message> =
  | {
      readonly kind: 'goes';
      /** The stages it may lead to. */
      readonly to: readonly Stage[];
      /** The messages it may say. */
      readonly says: readonly AnyContract[];
      decide(state: State, message: Message, context: DecisionContext): Decision<State>;
    }
  | { readonly kind: 'ignored'; readonly because: string }
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'impossible' };

/** Stage × message → cell. The compiler refuses a table with a hole. */
export type Table<Stage extends string, State, Message extends Decidable> = {
  readonly [S in Stage]: {
    readonly [Type in Message['type']]: Cell<Stage, State, Extract<Message, { readonly type: Type }>>;
  };
};

/** A process (saga): a table and the name of the stage in which each state is. */
export interface Process<Stage extends string, State, Message extends Decidable> {
  readonly name: string;
  readonly stages: readonly Stage[];
  readonly messageTypes: readonly Message['type'][];
  readonly table: Table<Stage, State, Message>;
  /** Never ignores silently: each message is handled, ignored on purpose, refused, or a `PermanentFailure`. */
  decide(state: State, message: Message, context: DecisionContext): Decision<State>;
}

/** The message leads to another stage, or says something, or both. */
export function goes<Stage extends string, State, Message>(
  to: Stage | readonly Stage[],
  says: readonly AnyContract[],
  decide: (state: State, message: Message, context: DecisionContext) => Decision<State>,
): Cell<Stage, State, Message> {
  return { kind: 'goes', to: typeof to === 'string' ? [to] : to, says, decide };
}

/** The message is expected here and changes nothing. */
export function ignored(because: string): { readonly kind: 'ignored'; readonly because: string } {
  return { kind: 'ignored', because };
}

/** A person's wish that cannot be granted in this stage; `because` is the reason they are told. */
export function refused(because: string): { readonly kind: 'refused'; readonly because: string } {
  return { kind: 'refused', because };
}

/** The message cannot arrive here unless something is broken: it goes to the dead letters. */
export const impossible = { kind: 'impossible' } as const;

/**
 * Defines a process from its table.
 * `decide` throws `PermanentFailure` ('impossible-transition') for an impossible cell, and an `Error` when a cell does what it did
 * not declare.
 */
export function defineProcess<Stage extends string, State, Message extends Decidable>(definition: {
  readonly name: string;
  readonly stageOf: (state: State) => Stage;
  readonly table: Table<Stage, State, Message>;
}): Process<Stage, State, Message> {
  const { name, stageOf, table } = definition;
  const stages = Object.keys(table) as Stage[];
  const [first] = stages;
  const messageTypes = (first === undefined ? [] : Object.keys(table[first])) as Message['type'][];
  return {
    name,
    stages,
    messageTypes,
    table,
    decide(state, message, context) {
      const stage = stageOf(state);
      const cell = (table[stage] as Record<string, Cell<Stage, State, Message> | undefined>)[message.type];
      if (cell === undefined) throw new PermanentFailure('unknown-message', `${name} knows no message ${message.type}`);
      switch (cell.kind) {
        case 'ignored':
          return unchanged(state);
        case 'refused':
          return { state, messages: [], refused: cell.because };
        case 'impossible':
          throw new PermanentFailure(
            'impossible-transition',
            `${message.type} cannot arrive while ${name} is ${stage}`,
          );
        case 'goes':
          return declared(name, stage, message.type, cell, cell.decide(state, message, context), stageOf);
      }
    },
  };
}

function declared<Stage extends string, State>(
  name: string,
  stage: Stage,
  type: string,
  cell: { readonly to: readonly Stage[]; readonly says: readonly AnyContract[] },
  decision: Decision<State>,
  stageOf: (state: State) => Stage,
): Decision<State> {
  const to = stageOf(decision.state);
  if (!cell.to.includes(to))
    throw new Error(`${name}: ${stage} × ${type} went to ${to}, declared is ${cell.to.join(', ')}`);
  for (const { contract } of decision.messages) {
    if (!cell.says.includes(contract))
      throw new Error(`${name}: ${stage} × ${type} says ${contract.type}, not declared`);
  }
  return decision;
}
