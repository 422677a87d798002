import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const documents = join(import.meta.dirname, '../../../../docs/asyncapi');

/** What an AsyncAPI document declares: wire types said by topic, and topics and wire types heard by consumer group. */
export interface DeclaredTalk {
  readonly says: readonly string[];
  readonly hears: ReadonlyMap<string, { readonly topics: readonly string[]; readonly wireTypes: readonly string[] }>;
}

interface AsyncApi {
  readonly channels: Readonly<Record<string, { readonly address: string }>>;
  readonly operations: Readonly<Record<string, Operation>>;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: { readonly $ref: string };
  readonly messages: readonly { readonly $ref: string }[];
  readonly bindings?: { readonly kafka: { readonly groupId: { readonly enum: readonly string[] } } };
}

/** Reads the AsyncAPI document of a service. */
export function declaredTalk(service: string): DeclaredTalk {
  const { channels, operations } = JSON.parse(readFileSync(join(documents, `${service}.json`), 'utf8')) as AsyncApi;
  const said = Object.values(operations).filter(({ action }) => action === 'send');
  const heard = Object.values(operations).filter(({ action }) => action === 'receive');
  const groups = Map.groupBy(heard, ({ bindings }) => bindings?.kafka.groupId.enum[0] ?? '');
  return {
    says: said.flatMap(wireTypesOf).toSorted(),
    hears: new Map(
      [...groups].map(([group, all]) => [
        group,
        {
          topics: all.map(({ channel }) => channels[lastOf(channel.$ref)]?.address ?? '').toSorted(),
          wireTypes: all.flatMap(wireTypesOf).toSorted(),
        },
      ]),
    ),
  };
}

const lastOf = (reference: string): string => reference.split('/').at(-1) ?? '';
const wireTypesOf = ({ messages }: Operation): readonly string[] =>
  messages.map(({ $ref }) => `millrace.${lastOf($ref)}`);
