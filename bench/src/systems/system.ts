import type { Replica } from '@millrace/embedded';

export const systemNames = ['millrace', 'baseline'] as const;
export type SystemName = (typeof systemNames)[number];

/**
 * What becomes known of an order by reading the events of a system. It is complete when it is shipped and its customer was told all:
 * mails that pile up are orders that pile up.
 */
export type Milestone = 'confirmed' | 'shipped' | 'told' | 'completed' | 'cancelled';

/** Where the events about orders are, and what they mean. Their key is the order's id. */
export interface OrderEvents {
  readonly topics: readonly string[];
  /** `type` is the header that says it, where a topic holds several types. */
  readonly milestoneOf: (topic: string, type: string | undefined) => Milestone | undefined;
}

/** How the books of a system stand. */
export interface Books {
  readonly balance: boolean;
  /** What is not as it must be. */
  readonly findings: readonly string[];
  readonly completed: number;
}

/** A whole shop on this machine, running, that takes orders over HTTP. */
export interface System {
  readonly name: SystemName;
  /** Holds `postgres/` and `kafka/`. */
  readonly dir: string;
  /** The address of the order API, without a slash at the end. */
  readonly orderUrl: string;
  readonly brokers: readonly string[];
  /** The database server, as its superuser. */
  readonly postgresUrl: string;
  readonly events: OrderEvents;
  processes(): readonly { readonly name: string; readonly pid: number }[];
  /** Resolves when nothing is under way any more. Rejects when that does not happen within `timeoutMs`. */
  settled(timeoutMs?: number): Promise<void>;
  /** Right only while nothing is under way. */
  books(): Promise<Books>;
  /** Ends all of it in good order; the data stays. */
  stop(): Promise<void>;
}

export interface SystemOptions {
  readonly dir: string;
  readonly say: (line: string) => void;
  /** Added to the environment of every service. */
  readonly env?: (service: string) => Readonly<Record<string, string>>;
}

/** The processes of services that can be ended and started again. */
export function processesOf(replicas: readonly Replica[]): { readonly name: string; readonly pid: number }[] {
  return replicas.filter((replica) => replica.isRunning()).map(({ service, pid }) => ({ name: service, pid }));
}

/** The books do not add up, so what was measured means nothing. */
export class WrongBooks extends Error {
  override readonly name = 'WrongBooks';

  constructor(system: SystemName, findings: readonly string[]) {
    super(
      `The books of ${system} do not add up, so the figures mean nothing:\n  ${findings.slice(0, 10).join('\n  ')}`,
    );
  }
}
