import { defineMessage, type Topic } from '@millrace/contracts';
import { z } from 'zod';

const DAY_MS = 24 * 60 * 60 * 1000;

function topic(name: string, meaning: string): Topic {
  return { name, partitions: 6, cleanup: { policy: 'delete', retentionMs: DAY_MS }, meaning };
}

export const ledgerCommands = topic('ledger.commands.v1', 'What is to be entered into each account.');
export const ledgerEvents = topic('ledger.events.v1', 'What was entered into each account.');

export const Enter = defineMessage({
  type: 'Enter',
  version: 1,
  topic: ledgerCommands,
  key: 'account',
  meaning: 'Write the next line of an account.',
  schema: z.object({ account: z.string().min(1), line: z.number().int() }),
});

export const Entered = defineMessage({
  type: 'Entered',
  version: 1,
  topic: ledgerEvents,
  key: 'account',
  meaning: 'A line of an account was written.',
  schema: z.object({ account: z.string().min(1), line: z.number().int(), lines: z.number().int() }),
});

/** The consumer group of each handler that the service can run. */
export const groups = { decide: 'ledger.decide', perform: 'ledger.perform', project: 'ledger.project' } as const;

export type HandlerName = keyof typeof groups;
