import type { RawMessage } from '@millrace/contracts';

/** A record as a consumer group received it. */
export interface Incoming extends RawMessage {
  /** The topic's declared name, without the prefix of a test. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** When the broker or the producer stamped it, in milliseconds since 1970. */
  readonly timestampMs: number;
}
