import { join } from 'node:path';
import { type Exit, type Replica, type Shop, type ShopOptions, startShop, temporaryFolder } from '@millrace/embedded';

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
    onServiceExit: tellUnforeseenEnd,
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

/** Tests kill; a service that ends in any other way, unasked, has something to say that a test which waits for it cannot know. */
function tellUnforeseenEnd({ service, number }: Replica, { code, signal }: Exit, lastLines: string): void {
  if (signal === 'SIGKILL') return;
  process.stderr.write(
    `replica ${number} of ${service} ended with ${signal ?? `exit code ${code}`}; its log ends:\n${lastLines}\n`,
  );
}
