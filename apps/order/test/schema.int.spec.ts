import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { driftOf } from '@millrace/database/migrate';
import { type OrderDatabase, orderDatabase, schemaPath } from './order-database.ts';

describe('the migrations of the order service', () => {
  let order: OrderDatabase;
  beforeAll(async () => {
    order = await orderDatabase();
  });
  afterAll(() => order.drop());

  it('make what schema.prisma says', async () => {
    expect(await driftOf(order.url, schemaPath)).toBe('');
  });
});
