import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import type { DatabaseUrls } from '../running-shop.ts';
import { rowsOf, STATEMENT_GIVEN_UP } from './rows.ts';

describe('a question to a database of a shop', () => {
  let scratch: TestDatabase;
  let databases: DatabaseUrls;
  beforeAll(async () => {
    scratch = await createTestDatabase();
    databases = { inventory: scratch.url } as DatabaseUrls;
  });
  afterAll(() => scratch.drop());

  it('is answered with amounts as bigint', async () => {
    expect(await rowsOf({ databases }, 'inventory', 'SELECT $1::bigint AS amount', ['9007199254740993'])).toEqual([
      { amount: 9_007_199_254_740_993n },
    ]);
  });

  it('is given up by the server, and told apart by its code, when it takes longer than it may', async () => {
    const question = rowsOf({ databases }, 'inventory', 'SELECT pg_sleep(30)', [], 50);
    await expect(question).rejects.toMatchObject({ code: STATEMENT_GIVEN_UP });
  });
});
