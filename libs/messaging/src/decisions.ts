export { type Decision, type DecisionContext, unchanged } from './handlers/decision.ts';
export { PermanentFailure } from './handlers/failures.ts';
export type { Decidable, LocalMessage } from './handlers/local-message.ts';
