import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldens } from '@millrace/contracts/goldens';
import { Database } from '@millrace/database';
import { replay, TestTopics } from '@millrace/messaging/testing';
import { ServicePromises } from '@millrace/service/testing';
import { type RunningShipping, runShipping } from './running-shipping.ts';

const topics = new TestTopics();
const A_DAY_MS = 86_400_000;
const promises = new ServicePromises('shipping', topics, goldens());
const { messages, releases: times } = promises;
let shipping: RunningShipping;

beforeAll(async () => {
  // No parcel leaves before the test says so.
  const carrier = { CARRIER_DISPATCH_AFTER_MS: String(A_DAY_MS), CARRIER_DELIVER_AFTER_MS: '1' };
  shipping = await runShipping(carrier, topics);
});

afterAll(async () => {
  await shipping.stop();
});

describe('what the shipping service promises others', () => {
  it('handles what every release asked of it, story by story, and sets nothing aside', async () => {
    const database = shipping.service.app.get(Database);
    await replay(topics, database, messages);
    const { rows } = await database.query<{ status: string; times: number }>(
      'SELECT status, count(*)::int AS times FROM shipment GROUP BY status ORDER BY status',
    );
    expect(rows).toEqual(['arranged', 'cancelled', 'refused'].map((status) => ({ status, times })));
    expect(await promises.setAside()).toEqual([]);
  });

  it('says what its AsyncAPI document declares, all of it and nothing else', async () => {
    await shipping.service.app
      .get(Database)
      .query('UPDATE shipment SET report_due_at = now() WHERE report_due_at IS NOT NULL');
    expect(await promises.said(['shipping.events.v1'])).toEqual(promises.says);
  });

  promises.itHearsAndServesWhatIsDocumented(() => shipping.service);
});
