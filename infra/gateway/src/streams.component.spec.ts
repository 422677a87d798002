import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gatewayBefore, type GatewayBefore, until } from './fixtures/gateway-before.ts';
import { type Replica, startReplica } from './fixtures/replica.ts';

let replica: Replica;
let gateway: GatewayBefore;
let stream: ServerResponse | undefined;

beforeEach(async () => {
  replica = await startReplica('order');
  gateway = await gatewayBefore([replica]);
  stream = undefined;
  replica.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).flushHeaders();
    stream = response;
  };
});

afterEach(async () => {
  await gateway.stop();
  await replica.close();
});

async function openStream(signal?: AbortSignal) {
  const response = await fetch(`${gateway.url}/orders/1/stream`, signal === undefined ? {} : { signal });
  if (response.body === null) throw new Error('there is no stream');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  return { response, next: async () => (await reader.read()).value };
}

describe('an event stream', () => {
  it('is open before its first event, and each event arrives when it happens', async () => {
    const { response, next } = await openStream();
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    stream?.write('data: placed\n\n');
    expect(await next()).toBe('data: placed\n\n');
    stream?.write('data: confirmed\n\n');
    expect(await next()).toBe('data: confirmed\n\n');
    stream?.end();
    expect(await next()).toBeUndefined();
  });

  it('ends at the service when its reader goes away', async () => {
    const reader = new AbortController();
    await openStream(reader.signal);
    reader.abort();
    await until(() => stream?.destroyed === true);
  });

  it('ends properly at both sides when the gateway stops', async () => {
    const { next } = await openStream();
    const stopped = gateway.stop();
    expect(await next()).toBeUndefined();
    await stopped;
    await until(() => stream?.destroyed === true);
  });

  it('counts as open while it is, and its duration does not pass for the time of an answer', async () => {
    const { next } = await openStream();
    const metrics = async (): Promise<string> => (await fetch(`${gateway.statusUrl}/metrics`)).text();
    const during = await metrics();
    expect(during).toContain('gateway_open_requests{api="order"} 1');
    expect(during).toContain('http_server_requests_seconds_count{api="order",status="2xx"} 1');
    stream?.end();
    expect(await next()).toBeUndefined();
    await until(async () => (await metrics()).includes('gateway_open_requests{api="order"} 0'));
    expect(await metrics()).toContain('http_server_requests_seconds_count{api="order",status="2xx"} 1');
  });
});

describe('a stopping gateway', () => {
  it('gives open requests their answer, is not ready, and takes no new connections', async () => {
    let answer = (): void => {};
    replica.answer = (_request, response) => void (answer = () => response.end('done'));
    const open = fetch(gateway.url);
    await until(() => replica.received.length === 1);
    const stopped = gateway.stop();
    await until(async () => {
      try {
        await (await fetch(gateway.statusUrl)).text();
        return false;
      } catch {
        return true;
      }
    });
    answer();
    const answered = await open;
    expect(await answered.text()).toBe('done');
    expect(answered.headers.get('connection')).toBe('close');
    await stopped;
  });
});

describe('the gateway', () => {
  const ready = async () => {
    const response = await fetch(`${gateway.statusUrl}/health/ready`);
    return { status: response.status, ...((await response.json()) as object) };
  };

  function orderApi(health: number, products: readonly object[]): void {
    replica.answer = ({ url }, response) => {
      if (url === '/health/ready') response.writeHead(health).end('{}');
      else response.end(JSON.stringify({ products }));
    };
  }

  it('is ready when the order API is, and sells something', async () => {
    orderApi(503, []);
    expect(await ready()).toMatchObject({
      status: 'not ready',
      checks: { shop: expect.stringContaining('not ready') },
    });
    orderApi(200, []);
    expect(await ready()).toMatchObject({ checks: { shop: 'the order API has no products to sell yet' } });
    orderApi(200, [{ sku: 'MUG-BLUE' }]);
    expect(await ready()).toMatchObject({ status: 'ready', checks: { shop: 'ok' } });
    orderApi(503, [{ sku: 'MUG-BLUE' }]);
    expect(await ready()).toMatchObject({ status: 'not ready' });
  });

  it('asks for that without leaving traces', async () => {
    orderApi(200, []);
    await ready();
    expect(replica.received.map(({ headers }) => headers['traceparent'])).toEqual([
      expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
      expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
    ]);
  });

  it('is not ready without a replica, but alive', async () => {
    await gateway.find([]);
    expect(await ready()).toMatchObject({ checks: { shop: 'no replica is known' } });
    expect((await fetch(`${gateway.statusUrl}/health/live`)).status).toBe(200);
  });
});
