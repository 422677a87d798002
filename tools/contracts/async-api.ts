import {
  type AnyContract,
  headerNames,
  type Topic,
  versionsOf,
  saidVersionsOf,
} from '../../libs/contracts/src/index.ts';
import { readSchema, writtenSchema } from '../../libs/contracts/src/compatibility/index.ts';
import type { Golden } from '../../libs/contracts/src/fixtures/goldens.ts';
import type { Talk } from './speakers.ts';

type Examples = readonly Pick<Golden, 'value' | 'headers'>[];

/** What a service says and hears on Kafka, as an AsyncAPI 3 document. */
export function asyncApi({ service, says, groups }: Talk, version: string, examples: Examples): object {
  const said = says.flatMap(saidVersionsOf);
  const heard = [...new Set(groups.flatMap(({ hears }) => hears))].flatMap(versionsOf);
  const all = [...new Set([...said, ...heard])];
  const topics = [...new Set(all.map(({ topic }) => topic))];
  const ours = new Set(said);
  return {
    asyncapi: '3.0.0',
    info: {
      title: `Millrace ${service}`,
      version,
      description: `What the ${service} service says and hears on Kafka. Keys, topics and schemas are those of its contracts.`,
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      topics.map((topic) => [
        channelOf(topic),
        channel(
          topic,
          all.filter((contract) => contract.topic === topic),
        ),
      ]),
    ),
    operations: Object.fromEntries([
      ...topics
        .filter((topic) => said.some((contract) => contract.topic === topic))
        .map((topic) => [
          `say.${channelOf(topic)}`,
          {
            action: 'send',
            summary: `Says what happened, or asks for it, through the outbox: at least once, in order per key.`,
            ...on(
              topic,
              said.filter((contract) => contract.topic === topic),
            ),
          },
        ]),
      ...groups.flatMap(({ name, hears }) =>
        [...new Set(hears.map(({ topic }) => topic))].map((topic) => [
          `${name.replaceAll('.', '-')}.${channelOf(topic)}`,
          {
            action: 'receive',
            summary: `Consumer group ${name}; what it cannot handle goes to ${name}.dlq.`,
            ...on(topic, hears.filter((contract) => contract.topic === topic).flatMap(versionsOf)),
            bindings: { kafka: { groupId: { type: 'string', enum: [name] }, bindingVersion: '0.5.0' } },
          },
        ]),
      ),
    ]),
    components: {
      messages: Object.fromEntries(all.map((contract) => [idOf(contract), messageOf(contract, ours, examples)])),
      schemas: { envelope },
    },
  };
}

const channelOf = ({ name }: Topic): string => name.replaceAll('.', '-');
const idOf = ({ type, version }: AnyContract): string => `${type}.v${version}`;
const refTo = (...path: readonly string[]) => ({ $ref: `#/${path.join('/')}` });

function on(topic: Topic, contracts: readonly AnyContract[]): object {
  return {
    channel: refTo('channels', channelOf(topic)),
    messages: contracts.map((contract) => refTo('channels', channelOf(topic), 'messages', idOf(contract))),
  };
}

function channel(topic: Topic, contracts: readonly AnyContract[]): object {
  const { name, partitions, cleanup, meaning } = topic;
  return {
    address: name,
    description: meaning,
    messages: Object.fromEntries(
      contracts.map((contract) => [idOf(contract), refTo('components', 'messages', idOf(contract))]),
    ),
    bindings: {
      kafka: {
        topic: name,
        partitions,
        topicConfiguration:
          cleanup.policy === 'compact'
            ? { 'cleanup.policy': ['compact'] }
            : { 'cleanup.policy': ['delete'], 'retention.ms': cleanup.retentionMs },
        bindingVersion: '0.5.0',
      },
    },
  };
}

function messageOf(contract: AnyContract, ours: ReadonlySet<AnyContract>, examples: Examples): object {
  const { type, version, wireType, meaning, key } = contract;
  const example = examples.find(({ headers }) => headers[headerNames.type] === wireType);
  return {
    name: wireType,
    title: `${type} v${version}`,
    summary: meaning,
    contentType: 'application/json',
    headers: refTo('components', 'schemas', 'envelope'),
    // Who writes it is held to more than who reads it: a reader tolerates fields that it does not know.
    payload: ours.has(contract) ? writtenSchema(contract) : readSchema(contract),
    bindings: { kafka: { key: { type: 'string', description: `${key} of the body` }, bindingVersion: '0.5.0' } },
    ...(example === undefined
      ? {}
      : { examples: [{ name: type, headers: example.headers, payload: JSON.parse(example.value) as unknown }] }),
  };
}

const text = (description: string) => ({ type: 'string', description });

const envelope = {
  type: 'object',
  description: 'CloudEvents 1.0 in binary mode, with the conversation and the trace that a message belongs to.',
  required: [headerNames.id, headerNames.type, headerNames.source, headerNames.time],
  properties: {
    [headerNames.specVersion]: { type: 'string', const: '1.0' },
    [headerNames.id]: { ...text('The id of the message, a UUIDv7: the same however often it is sent'), format: 'uuid' },
    [headerNames.type]: text('Name and version: millrace.<name>.v<version>'),
    [headerNames.source]: text('Who says it: /millrace/<service>'),
    [headerNames.time]: { ...text('When it was decided'), format: 'date-time' },
    [headerNames.subject]: text('The key'),
    [headerNames.contentType]: { type: 'string', const: 'application/json' },
    [headerNames.correlationId]: text('The id of the message that began the conversation'),
    [headerNames.causationId]: text('The id of the message that led to this one'),
    [headerNames.aggregateVersion]: { ...text('Version of the aggregate after the change'), pattern: '^[0-9]+$' },
    [headerNames.alsoSaidAs]: text('Earlier versions of the message that follow under the same id, such as 2,1'),
    [headerNames.traceparent]: text('W3C trace context of the span that created the message'),
  },
};
