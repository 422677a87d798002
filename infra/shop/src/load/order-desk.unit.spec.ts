import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { customerMix, type Visit } from './customer-mix.ts';
import { OrderDesk, retryAfterMs } from './order-desk.ts';
import { seededRandom } from './random.ts';
import { Tally } from './tally.ts';

const visit: Visit = {
  order: customerMix({ skus: ['MUG'], currency: 'EUR' }, seededRandom(1))().order,
  repeats: false,
};

describe('the order desk of a load', () => {
  const stop = new AbortController();
  let server: Server | undefined;
  afterEach(() => void server?.close());

  const deskAt = async (
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<{ desk: OrderDesk; tally: Tally }> => {
    server = createServer(answer).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    const tally = new Tally();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { desk: new OrderDesk(url, tally, stop.signal), tally };
  };

  it('closes for as long as the API asks for', async () => {
    const { desk, tally } = await deskAt((_, response) => response.writeHead(503, { 'retry-after': '30' }).end());
    await desk.serve(visit);
    expect(desk.isClosed).toBe(true);
    expect(tally.line(1_000)).toContain('placed 0 (0.0/s), confirmed 0');
    expect(tally.line(1_000)).toContain('refused 1 (1 × 503), errors 0');
  });

  it('closes for a moment when the API is away, and goes on', async () => {
    const { desk, tally } = await deskAt((request) => request.socket.destroy());
    await desk.serve(visit);
    expect(desk.isClosed).toBe(true);
    expect(tally.line(1_000)).toContain('errors 1');
  });

  it.each(['', 'null', '{}', '{"orderId":7}'])(
    'counts an order that it is not told of as an error: %j',
    async (body) => {
      const { desk, tally } = await deskAt((_, response) => response.writeHead(202).end(body));
      await desk.serve({ ...visit, repeats: true });
      expect(tally.line(1_000)).toContain('placed 0 ');
      expect(tally.line(1_000)).toContain('errors 1');
    },
  );

  it('counts a repeated request that is answered with nothing as an error, and not as a second order', async () => {
    let answers = 0;
    const { desk, tally } = await deskAt((_, response) =>
      response.writeHead(202).end(answers++ === 0 ? '{"orderId":"order-1"}' : ''),
    );
    await desk.serve({ ...visit, repeats: true });
    expect(tally.line(1_000)).toContain('placed 1 ');
    expect(tally.line(1_000)).toContain('errors 1');
    expect(tally.isBroken).toBe(false);
  });

  it('sends a repeated request under the same key, and notes when it makes a second order', async () => {
    const keys: unknown[] = [];
    const { desk, tally } = await deskAt((request, response) => {
      keys.push(request.headers['idempotency-key']);
      response.writeHead(202).end(JSON.stringify({ orderId: `order-${keys.length}` }));
    });
    await desk.serve({ ...visit, repeats: true });
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
    expect(tally.isBroken).toBe(true);
    stop.abort();
  });

  it.each([
    ['2', 2_000],
    ['900', 60_000],
    [null, 1_000],
    ['Sun, 22 Nov 2026 10:00:00 GMT', 1_000],
  ])('waits after Retry-After: %s for %d ms', (header, expected) => {
    expect(retryAfterMs(header)).toBe(expected);
  });
});
