import type { AnyContract } from './message.ts';
import * as messages from './messages.ts';

/** Every message of Millrace, one contract per message and version. */
export const catalogue: readonly AnyContract[] = Object.values(messages);
