import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ForgetKeys } from '../src/orders/forget-keys.ts';
import { anOrder, type OrderApi, startOrderApi, stockedDatabase } from './order-api.ts';
import type { OrderDatabase } from './order-database.ts';

let database: OrderDatabase;
let api: OrderApi;

beforeAll(async () => {
  database = await stockedDatabase();
  api = await startOrderApi(database.url);
});

afterAll(async () => {
  await api.stop();
  await database.drop();
});

describe('idempotency keys', () => {
  it('are forgotten after a day, however many there are, and younger ones are kept', async () => {
    const first = await api.place(anOrder, 'young');
    await api.database.query(
      `INSERT INTO idempotency_keys (key, request_hash, order_id, created_at)
       SELECT 'old-' || n, 'hash', gen_random_uuid(), now() - interval '25 hours' FROM generate_series(1, 2500) AS n`,
    );
    await api.app.get(ForgetKeys, { strict: false }).forget(new Date());
    expect((await api.rows('idempotency_keys')).map(({ key }) => key)).toEqual(['young']);
    expect((await api.place(anOrder, 'young')).text).toBe(first.text);
  });
});
