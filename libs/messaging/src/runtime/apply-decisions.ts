import type { AnyMessage } from '@millrace/contracts';
import type { Decision, DecisionContext } from '../handlers/decision.ts';
import type { StateStore } from '../handlers/state-store.ts';
import { decideAll } from './decide-all.ts';
import type { ApplyFresh } from './settle-batch.ts';

/** Applies the fresh messages of a batch by deciding about each. */
export function applyDecisions<State>(
  service: string,
  store: StateStore<State, AnyMessage>,
  decide: (state: State, message: AnyMessage, context: DecisionContext) => Decision<State>,
): ApplyFresh {
  return async (tx, fresh, { now, parks }) => {
    const known = new Map(fresh.map((each) => [each.message, each]));
    const messages = [...known.keys()];
    const { verdicts, save } = await decideAll(tx, store, messages, decide, {
      service,
      now,
      spanOf: (message) => known.get(message)?.received.span,
      parks: (message, error) => {
        const failed = known.get(message);
        return failed !== undefined && parks(failed, error);
      },
    });
    const failures = new Map<AnyMessage, unknown>();
    const behind = new Set<AnyMessage>();
    const records = verdicts.flatMap((verdict, index) => {
      const message = messages[index];
      if (message !== undefined && verdict.kind === 'failed') failures.set(message, verdict.error);
      if (message !== undefined && verdict.kind === 'behind') behind.add(message);
      return verdict.kind === 'decided' ? verdict.records : [];
    });
    return { records, failures, behind, save };
  };
}
