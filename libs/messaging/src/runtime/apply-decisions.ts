import type { AnyMessage } from '@millrace/contracts';
import type { Decision, DecisionContext } from '../handlers/decision.ts';
import type { StateStore } from '../handlers/state-store.ts';
import { decideAll } from './decide-all.ts';
import type { ApplyFresh } from './settlement.ts';

/** Applies the fresh messages of a batch by deciding about each. */
export function applyDecisions<State>(
  service: string,
  store: StateStore<State, AnyMessage>,
  decide: (state: State, message: AnyMessage, context: DecisionContext) => Decision<State>,
): ApplyFresh {
  return async (tx, fresh, now) => {
    const spans = new Map(fresh.map(({ message, span }) => [message, span]));
    const messages = fresh.map(({ message }) => message);
    const verdicts = await decideAll(tx, store, messages, decide, {
      service,
      now,
      spanOf: (message) => spans.get(message),
    });
    const failures = new Map<AnyMessage, unknown>();
    const records = verdicts.flatMap((verdict, index) => {
      if (verdict.kind === 'decided') return verdict.records;
      const message = messages[index];
      if (message) failures.set(message, verdict.error);
      return [];
    });
    return { records, failures };
  };
}
