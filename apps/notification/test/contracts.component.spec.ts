import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OrderCancelled } from '@millrace/contracts';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { replay, saidBy, TestTopics, topicsOf, until } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { declaredTalk, documentedRoutes, OPERATORS_ROUTES, servedRoutes } from '@millrace/service/testing';
import { notificationDatabase, recordOf, startNotification } from './running-notification.ts';
import { startSmtpServer, type TestSmtpServer } from './smtp-server.ts';
import { cancelled } from './telling-events.ts';

const declared = declaredTalk(join(import.meta.dirname, '../../../docs/asyncapi/notification.json'));
const groups = [...declared.hears.keys()];
const heard = [...declared.hears.values()].flatMap(({ wireTypes }) => wireTypes);
const topics = new TestTopics();
const UNKNOWN = 'nobody@example.com';
const messages = goldens().filter(({ headers }) => heard.includes(headers['ce_type'] ?? ''));
let database: TestDatabase;
let smtp: TestSmtpServer;
let service: RunningService;

beforeAll(async () => {
  [database, smtp] = await Promise.all([
    notificationDatabase(),
    startSmtpServer({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address === UNKNOWN ? Object.assign(new Error('5.1.1 unknown'), { responseCode: 550 }) : null),
    }),
    topics.create(groups),
  ]);
  service = await startNotification(database, topics, smtp.url);
});

afterAll(async () => {
  await service.stop();
  await Promise.all([smtp.stop(), topics.close(), database.drop()]);
});

describe('what the notification service promises others', () => {
  it('tells customers of what every release said, story by story, and sets nothing aside', async () => {
    await replay(topics, service.app.get(Database), messages);
    expect(smtp.received.map(({ to }) => to)).toEqual(messages.map(() => ['ada@example.org']));
    for (const group of groups) expect(await topics.read(`${group}.dlq`)).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    await topics.send([recordOf(OrderCancelled, cancelled({ contact: { name: 'Nobody', email: UNKNOWN } }))]);
    const said = () => saidBy(topics, 'notification', ['notification.events.v1']);
    await until('all of it is said', async () => (await said()).length >= declared.says.length);
    expect(await said()).toEqual(declared.says);
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
