import { join } from 'node:path';
import { type Shop, type ShopOptions, startShop, temporaryFolder } from '@millrace/embedded';

/**
 * A shop of its own for one test file: free ports, a temporary folder that goes with it, and a carrier in a hurry. Nothing of it is
 * left after `stop`, or after the end of the test process.
 */
export async function shopUnderTest(
  options: Pick<ShopOptions, 'brokerMetrics' | 'env' | 'replicas'> = {},
): Promise<Shop> {
  const folder = temporaryFolder('millrace-journey');
  const shop = await startShop({
    dir: join(folder.path, 'shop'),
    logLevel: 'warn',
    ...options,
    env: {
      ...options.env,
      shipping: { CARRIER_DISPATCH_AFTER_MS: '20', CARRIER_DELIVER_AFTER_MS: '20', ...options.env?.shipping },
    },
  });
  return {
    ...shop,
    async stop() {
      await shop.stop();
      await folder.remove();
    },
  };
}
