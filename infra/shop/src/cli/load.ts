import { describeVariables, readNumber, readVariables } from '../command/environment.ts';
import { runCommand } from '../command/run-command.ts';
import { waitFor } from '../command/wait-for.ts';
import { PER_MILLE } from '../load/customer-mix.ts';
import { seededRandom } from '../load/random.ts';
import { runLoad } from '../load/run-load.ts';
import { Shelves } from '../load/shelves.ts';

const variables = { ORDER_URL: 'the order API', INVENTORY_URL: 'the inventory service' } as const;

const percent = (perMille: number): string => `${perMille / 10} %`;

const help = `Customers: keeps placing orders at an even rate until it is stopped, and restocks what runs low.

Usage: load [options]

  --rate N   orders per second (LOAD_ORDERS_PER_SECOND, else 5)
  --seed N   the same customers again; another number gives others (by the clock)

${describeVariables(variables)}

${percent(PER_MILLE.declinedCard)} of the customers have a card that is declined, ${percent(PER_MILLE.noCarrier)} live where no carrier goes, ${percent(PER_MILLE.cancels)} cancel, ${percent(PER_MILLE.repeats)} send
their request twice. Says every ten seconds, in totals since the start:
  confirmed, completed, cancelled   of up to 200 orders that are followed at a time
  refused    the API answered and took no order; 503 makes it wait as long as the answer says
  errors     the API did not answer; it is asked again soon
  behind     orders that were due and could not be placed in time; they are not made up for
Ctrl-C and SIGTERM end it with the totals. Exits 1 if a repeated request made a second order.
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

await runCommand({
  help,
  options: { rate: { type: 'string' }, seed: { type: 'string' } },
  endsItself: true,
  async run({ values }, stop) {
    const { ORDER_URL, INVENTORY_URL } = readVariables(process.env, variables);
    const fromEnvironment = process.env['LOAD_ORDERS_PER_SECOND'] || '5';
    const [name, text] =
      values['rate'] === undefined ? ['LOAD_ORDERS_PER_SECOND', fromEnvironment] : ['--rate', String(values['rate'])];
    const ordersPerSecond = readNumber(name ?? '', text ?? '', 0.01, 10_000);
    const seed = readNumber('--seed', String(values['seed'] ?? Date.now() % 2 ** 32), 0, 2 ** 32 - 1);
    const shelves = new Shelves(INVENTORY_URL);
    await waitFor(`the inventory service at ${INVENTORY_URL}`, () => shelves.assortment(), say, stop);
    say(`${ordersPerSecond} orders per second to ${ORDER_URL}`);
    const random = seededRandom(seed);
    const tally = await runLoad({
      orderUrl: ORDER_URL,
      inventoryUrl: INVENTORY_URL,
      ordersPerSecond,
      random,
      say,
      stop,
    });
    return tally.isBroken ? 1 : 0;
  },
});
