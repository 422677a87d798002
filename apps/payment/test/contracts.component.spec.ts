import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import { replay, TestTopics } from '@millrace/messaging/testing';
import { ServicePromises } from '@millrace/service/testing';
import { type RunningPayment, runPayment } from './running-payment.ts';

const topics = new TestTopics();
const promises = new ServicePromises('payment', topics, goldens());
const { messages, releases: times } = promises;
let payment: RunningPayment;

beforeAll(async () => {
  payment = await runPayment(topics);
});

afterAll(async () => {
  await payment.stop();
  await topics.close();
});

describe('what the payment service promises others', () => {
  it('handles what every release asked of it, story by story, and sets nothing aside', async () => {
    const database = payment.service.app.get(Database);
    await replay(topics, database, messages);
    const { rows } = await database.query<{ status: string; times: number }>(
      'SELECT status, count(*)::int AS times FROM payment GROUP BY status ORDER BY status',
    );
    expect(rows).toEqual(['captured', 'declined', 'refunded', 'voided'].map((status) => ({ status, times })));
    expect(await promises.setAside()).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    expect(await promises.said(['payment.events.v1'])).toEqual(promises.says);
  });

  promises.itHearsAndServesWhatIsDocumented(() => payment.service);
});
