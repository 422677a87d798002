import { expect, it } from '@jest/globals';
import { driftOf } from '@millrace/database/migrate';
import { inventoryDatabase, schemaPath } from './inventory-database.ts';

it('gives a database as schema.prisma says', async () => {
  const inventory = await inventoryDatabase();
  try {
    expect(await driftOf(inventory.url, schemaPath)).toBe('');
  } finally {
    await inventory.drop();
  }
});
