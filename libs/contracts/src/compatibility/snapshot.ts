import { headerNames } from '../envelope/headers.ts';
import { type AnyContract, saidVersionsOf, versionsOf } from '../message.ts';
import { type JsonSchema, readSchema, writtenSchema } from './json-schema.ts';

/** One message in one version, as a committed file describes it. */
export interface MessageSnapshot {
  readonly message: string;
  readonly version: number;
  readonly wireType: string;
  readonly topic: string;
  readonly cleanup: 'delete' | 'compact';
  readonly key: string;
  readonly meaning: string;
  /** Whether writers still say this version; readers understand it in any case. */
  readonly isSaid: boolean;
  /** What a reader accepts. */
  readonly schema: JsonSchema;
  /** What stands on the wire. */
  readonly written: JsonSchema;
}

/** Everything that may be said and read at one moment. */
export interface Snapshot {
  /** What the facts of the envelope are called. */
  readonly headers: Readonly<Record<string, string>>;
  readonly messages: readonly MessageSnapshot[];
}

/**
 * How much of a released version is still out there: builds of it may run (`full`), or only its messages may wait in topics, parked
 * or as dead letters (`messages`), or neither (`none`): then only what a compacted topic keeps for ever is left.
 */
export type Support = 'full' | 'messages' | 'none';

export interface Release extends Snapshot {
  readonly version: string;
  /** The day, in UTC. */
  readonly released: string;
  readonly support: Support;
}

/** What these contracts, in all the versions that they understand, promise at present. */
export function snapshotOf(contracts: readonly AnyContract[]): Snapshot {
  return { headers: headerNames, messages: contracts.flatMap(snapshotsOf) };
}

function snapshotsOf(newest: AnyContract): readonly MessageSnapshot[] {
  const said = saidVersionsOf(newest);
  return versionsOf(newest).map((contract) => {
    const { type, version, wireType, topic, key, meaning } = contract;
    return {
      message: type,
      version,
      wireType,
      topic: topic.name,
      cleanup: topic.cleanup.policy,
      key,
      meaning,
      isSaid: said.includes(contract),
      schema: readSchema(contract),
      written: writtenSchema(contract),
    };
  });
}
