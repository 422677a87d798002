export { type Decision, type DecisionContext } from './handlers/decision.ts';
export { PermanentFailure, TransientFailure, Unavailable } from './handlers/failures.ts';
export {
  type Call,
  type DecideHandler,
  type Decider,
  decides,
  type DueHandler,
  dues,
  type Handler,
  type PerformHandler,
  performs,
  type ProjectHandler,
  projects,
} from './handlers/handler.ts';
export { Handles } from './handlers/handles.decorator.ts';
export { type Decidable, type LocalMessage, localMessage } from './handlers/local-message.ts';
export type { RetryPolicy } from './handlers/retry-policy.ts';
export { type Change, keyedStore, type LoadedStates, type StateStore } from './handlers/state-store.ts';
export { naturalBatches } from './batching/natural-batches.ts';
export { type OutboxBacklog, OutboxWatch } from './outbox/outbox-watch.ts';
export { deadLetterHeaders } from './runtime/dead-letter-headers.ts';
export { type LocalTransaction, LocalTransactions } from './runtime/local-transactions.ts';
export { MessagingModule } from './runtime/messaging.module.ts';
export type { MessagingOptions } from './runtime/messaging-options.ts';
export { MessagingServer } from './runtime/messaging-server.ts';
export { resetProjection } from './runtime/projection-position.ts';
