import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topics as all } from '@millrace/contracts';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { replay, TestTopics } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { ServicePromises } from '@millrace/service/testing';
import { analyticsDatabase, startAnalytics } from './running-analytics.ts';

const topics = new TestTopics();
const promises = new ServicePromises('analytics', topics, goldens());
const { groups, messages } = promises;
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
    expect(await promises.setAside()).toEqual([]);
  });

  it('says nothing, as its AsyncAPI document declares', async () => {
    expect(promises.says).toEqual([]);
    expect(await promises.said(Object.values(all).map(({ name }) => name))).toEqual(promises.says);
  });

  promises.itHearsAndServesWhatIsDocumented(() => service);
});
