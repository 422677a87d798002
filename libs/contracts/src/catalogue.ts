import type { AnyContract } from './message.ts';
import * as messages from './messages.ts';

/** Every message of Millrace in its newest version, which is the one that handlers hear and say. */
export const catalogue: readonly AnyContract[] = Object.values(messages);
