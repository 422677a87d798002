import { describeVariables, readVariables } from '../command/environment.ts';
import { recordsOf, recordVariables } from '../command/records.ts';
import { runCommand } from '../command/run-command.ts';
import { waitFor } from '../command/wait-for.ts';
import { Screen } from '../show/screen.ts';
import { showOutcome, showTour } from '../show/show-tour.ts';
import { showBooksAfterTour } from '../tour/tour-books.ts';

const variables = {
  ORDER_URL: 'the order API',
  INVENTORY_URL: 'the inventory service',
  PAYMENT_URL: 'the payment service',
  ...recordVariables,
} as const;

const help = `A tour through a running shop: what happens to orders, scene by scene, and then its books.

Usage: tour

${describeVariables(variables)}
  TRACE_UI_URL (optional)  the Jaeger in which orders are shown; without it their trace ids are printed

Exits 0 only if every check held, else 1.
`;

const screen = Screen.ofThisProcess();

await runCommand({
  help,
  async run(_, stop) {
    const values = readVariables(process.env, variables);
    const urls = { order: values.ORDER_URL, inventory: values.INVENTORY_URL, payment: values.PAYMENT_URL };
    for (const [service, url] of Object.entries(urls)) {
      await waitFor(
        `the ${service} service at ${url}`,
        () => isThere(url),
        (line) => screen.line(line),
        stop,
      );
    }
    const traceUi = process.env['TRACE_UI_URL']?.replace(/\/$/, '');
    const traceLink = (traceId: string) => (traceUi ? `${traceUi}/trace/${traceId}` : traceId);
    const { failures } = await showTour(urls, screen, { ownProduct: true, traceLink });
    const failed = failures + (await showBooksAfterTour(recordsOf(values), screen));
    showOutcome(failed, screen);
    return failed === 0 ? 0 : 1;
  },
});

/** A service that answers, whatever it says, is there. */
async function isThere(url: string): Promise<void> {
  const { status } = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(3_000) }).catch(
    (error: unknown) => {
      throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
    },
  );
  if (status >= 500) throw new Error(`it answers ${status}`);
}
