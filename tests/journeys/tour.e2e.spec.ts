import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkBooks, openStage, scenes, waitForEnd, type Check, type Shop } from '@millrace/embedded';
import { shopUnderTest } from './shop-under-test.ts';

const TEST_TIMEOUT_MS = 180_000;

describe('the tour of the demo', () => {
  let shop: Shop;
  let checks: Check[] = [];

  beforeAll(async () => {
    // A customer who cancels needs time to do it in.
    shop = await shopUnderTest({ env: { shipping: { CARRIER_DISPATCH_AFTER_MS: '1000' } } });
  }, TEST_TIMEOUT_MS);
  afterAll(async () => {
    await shop?.stop();
  });

  it.each(scenes)(
    '$name: $story',
    async (scene) => {
      checks = [];
      const stage = await openStage(shop.urls, {
        heard: () => {},
        told: () => {},
        checked: (check) => checks.push(check),
      });
      await scene.play(stage);
      expect(checks.length).toBeGreaterThan(0);
      expect(checks.filter(({ holds }) => !holds)).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'leaves books that balance',
    async () => {
      await waitForEnd(shop);
      const { verdicts, orders } = await checkBooks(shop);
      expect(verdicts.filter(({ holds }) => !holds)).toEqual([]);
      expect(orders).toEqual({ completed: 7, cancelled: 49, open: 0 });
    },
    TEST_TIMEOUT_MS,
  );
});
