import { describe, expect, it } from '@jest/globals';
import { catalogue } from './catalogue.ts';
import { exampleOf } from './fixtures/examples.ts';
import { deadLetterTopic, topics } from './topics.ts';

const TOPIC_NAME = /^[a-z]+(-[a-z]+)*\.(events|commands)\.v[1-9]\d*$/;

// Keys and headers are seen by everybody who can list a topic, and live as long as a compacted one.
const OPAQUE_KEYS = ['orderId', 'sku'];

describe('the catalogue', () => {
  it('has one wire type per message, made of its name and version', () => {
    const wireTypes = catalogue.map(({ wireType }) => wireType);
    expect(new Set(wireTypes).size).toBe(catalogue.length);
    for (const { type, version, wireType } of catalogue) expect(wireType).toBe(`millrace.${type}.v${version}`);
  });

  it.each(catalogue.map((contract) => [contract.type, contract] as const))(
    'says what %s means in a sentence',
    (type, contract) => {
      expect(contract.meaning).toMatch(/^[A-Z].{15,}\.$/);
      expect(type).toMatch(/^[A-Z][a-z]+([A-Z][a-z]+)+$/);
      expect(type).not.toMatch(/Event$|Command$/);
    },
  );

  it.each(catalogue.map((contract) => [contract.type, contract] as const))(
    'sends %s to a topic of its kind',
    (type, contract) => {
      // A command asks, so it begins with its verb; an event tells, so it ends with its participle.
      const isEvent = /(ed|Sent)$/.test(type);
      expect(contract.topic.name).toMatch(isEvent ? /\.events\./ : /\.commands\./);
      expect(Object.values(topics)).toContain(contract.topic);
    },
  );

  it.each(catalogue.map((contract) => [contract.type, contract] as const))(
    'keys %s by an opaque id of its body',
    (_type, contract) => {
      const body = exampleOf(contract).body as Record<string, unknown>;
      const key = contract.keyOf(body);
      const field = OPAQUE_KEYS.find((name) => body[name] === key);
      expect(field).toBeDefined();
      // Changing the field changes the key: it is that field and no other.
      expect(contract.keyOf({ ...body, [String(field)]: 'other' })).toBe('other');
      expect(contract.schema.safeParse({ ...body, [String(field)]: undefined }).success).toBe(false);
    },
  );

  it('keys all messages of one topic alike', () => {
    for (const topic of Object.values(topics)) {
      const keys = catalogue
        .filter((contract) => contract.topic === topic)
        .map((contract) => {
          const body = exampleOf(contract).body as Record<string, unknown>;
          return OPAQUE_KEYS.find((name) => body[name] === contract.keyOf(body));
        });
      expect(new Set(keys).size).toBe(1);
    }
  });
});

describe('the declared topics', () => {
  it.each(Object.values(topics).map((topic) => [topic.name, topic] as const))(
    '%s has a name by the rule and room to share',
    (name, topic) => {
      expect(name).toMatch(TOPIC_NAME);
      expect(topic.partitions).toBeGreaterThan(1);
      expect(topic.meaning).toMatch(/\.$/);
    },
  );

  it('have names of their own', () => {
    const names = Object.values(topics).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('keep dead letters longer, and larger, than what they were made of', () => {
    const letters = deadLetterTopic('notification.order-emails');
    expect(letters.name).toBe('notification.order-emails.dlq');
    for (const { cleanup } of Object.values(topics)) {
      if (cleanup.policy === 'delete' && letters.cleanup.policy === 'delete') {
        expect(letters.cleanup.retentionMs).toBeGreaterThan(cleanup.retentionMs);
      }
    }
    expect(letters.maxRecordBytes).toBeGreaterThan(1024 * 1024);
  });
});
