import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OrderCancelled } from '@millrace/contracts';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import type { TestDatabase } from '@millrace/database/testing';
import { replay, TestTopics } from '@millrace/messaging/testing';
import type { RunningService } from '@millrace/service';
import { ServicePromises } from '@millrace/service/testing';
import { notificationDatabase, recordOf, startNotification } from './running-notification.ts';
import { startSmtpServer, type TestSmtpServer } from './smtp-server.ts';
import { cancelled } from './telling-events.ts';

const topics = new TestTopics();
const UNKNOWN = 'nobody@example.com';
const promises = new ServicePromises('notification', topics, goldens());
const { groups, messages } = promises;
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
    expect(await promises.setAside()).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    await topics.send([recordOf(OrderCancelled, cancelled({ contact: { name: 'Nobody', email: UNKNOWN } }))]);
    expect(await promises.said(['notification.events.v1'])).toEqual(promises.says);
  });

  promises.itHearsAndServesWhatIsDocumented(() => service);
});
