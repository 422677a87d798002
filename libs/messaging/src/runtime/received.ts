import type { Decoded } from '@millrace/contracts';
import type { Span } from '@opentelemetry/api';
import type { Incoming } from './incoming.ts';

/** Where a parked message stands, for the one who tries it again. */
export interface ParkedPlace {
  readonly key: string;
  readonly seq: string;
  /** Tries so far. */
  readonly attempts: number;
  readonly redrives: number;
  readonly redriveOf: string | undefined;
  /** Names the lease of the key, which another may take over when it ends. */
  readonly lease: string;
  /** When the lease began at the latest, by the process' own clock: `performance.now()`. */
  readonly leasedAtMs: number;
}

/** A record to be settled, decoded: received just now, or parked and due again. */
export interface Received {
  readonly incoming: Incoming;
  readonly decoded: Decoded;
  /** What the inbox remembers; undefined for what this group does not hear. */
  readonly id: string | undefined;
  readonly parked: ParkedPlace | undefined;
  /** Open while the record is worked on, where its trace is recorded. */
  span: Span | undefined;
}
