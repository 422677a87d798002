import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { replay, TestTopics, topicsOf } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { declaredTalk, documentedRoutes, OPERATORS_ROUTES, servedRoutes } from '@millrace/service/testing';
import { analyticsDatabase, startAnalytics } from './running-analytics.ts';

const declared = declaredTalk(join(import.meta.dirname, '../../../docs/asyncapi/analytics.json'));
const groups = [...declared.hears.keys()];
const heard = [...declared.hears.values()].flatMap(({ wireTypes }) => wireTypes);
const topics = new TestTopics();
const messages = goldens().filter(({ headers }) => heard.includes(headers['ce_type'] ?? ''));
let storage: TestDatabase;
let service: RunningService;

beforeAll(async () => {
  [storage] = await Promise.all([analyticsDatabase(), topics.create(groups)]);
  service = await startAnalytics(storage, topics);
});

afterAll(async () => {
  await service.stop();
  await topics.close();
  await storage.drop();
});

describe('what the analytics service promises others', () => {
  it('counts what every release said, story by story, and sets nothing aside', async () => {
    await replay(topics, service.app.get(Database), messages);
    const timesOf = (type: string) =>
      messages.filter(({ headers }) => headers['ce_type']?.split('.')[1] === type).length;
    const { messages: counted } = (await (await fetch(`${service.url}/messages`)).json()) as {
      messages: { type: string; times: number }[];
    };
    expect(new Map(counted.map(({ type, times }) => [type, times]))).toEqual(
      new Map(counted.map(({ type }) => [type, timesOf(type)])),
    );
    expect(counted.reduce((sum, { times }) => sum + times, 0)).toBe(messages.length);
    const { rows } = await service.app
      .get(Database)
      .query<{ placed: number; completed: number }>(
        'SELECT sum(placed)::int AS placed, sum(completed)::int AS completed FROM order_minute',
      );
    expect(rows).toEqual([{ placed: timesOf('OrderPlaced'), completed: timesOf('OrderCompleted') }]);
    for (const group of groups) expect(await topics.read(`${group}.dlq`)).toEqual([]);
  });

  it('says nothing, as its AsyncAPI document declares', () => {
    expect(declared.says).toEqual([]);
  });

  it('subscribes to the topics that its AsyncAPI document names, group by group', async () => {
    for (const [group, { topics: names }] of declared.hears) expect(await topicsOf(topics, group)).toEqual(names);
  });

  it('serves the routes that its API document describes, and those of its operators', async () => {
    const documented = await documentedRoutes(service.url);
    expect(documented).not.toEqual([]);
    expect(servedRoutes(service.app)).toEqual([...documented, ...OPERATORS_ROUTES].toSorted());
  });
});
