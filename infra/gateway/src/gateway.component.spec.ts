import { afterEach, describe, expect, it } from '@jest/globals';
import { gatewayBefore, type GatewayBefore, until } from './fixtures/gateway-before.ts';
import { type Replica, startReplica } from './fixtures/replica.ts';

const started: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.close()));
});

async function replica(name: string): Promise<Replica> {
  const one = await startReplica(name);
  started.push(one);
  return one;
}

async function gateway(replicas: readonly Replica[], env?: NodeJS.ProcessEnv): Promise<GatewayBefore> {
  const one = await gatewayBefore(replicas, env);
  started.push({ close: one.stop });
  return one;
}

const whoAnswers = async (url: string, init?: RequestInit): Promise<string> => (await fetch(url, init)).text();

async function answersOf(url: string, count: number, init?: RequestInit): Promise<string> {
  const names: string[] = [];
  for (let each = 0; each < count; each++) names.push(await whoAnswers(url, init));
  return names.join('');
}

describe('replicas', () => {
  it('take turns', async () => {
    const { url } = await gateway([await replica('a'), await replica('b')]);
    expect(await answersOf(`${url}/orders`, 6)).toBe('ababab');
  });

  it('that are added or taken away while it runs get or lose their turns', async () => {
    const [a, b, c] = [await replica('a'), await replica('b'), await replica('c')];
    const { url, find } = await gateway([a]);
    expect(await answersOf(url, 2)).toBe('aa');
    await find([a, b, c]);
    expect((await answersOf(url, 6)).split('').toSorted().join('')).toBe('aabbcc');
    await find([c]);
    expect(await answersOf(url, 2)).toBe('cc');
  });

  it('are looked up again without being asked to', async () => {
    const [a, b] = [await replica('a'), await replica('b')];
    const found = [a];
    const { url } = await gateway(found, { GATEWAY_RESOLVE_INTERVAL_MS: '10' });
    expect(await whoAnswers(url)).toBe('a');
    found[0] = b;
    await until(async () => (await whoAnswers(url)) === 'b');
  });

  it('stay known while their name cannot be resolved', async () => {
    const { url, loseResolver, refresh } = await gateway([await replica('a')]);
    loseResolver();
    await refresh();
    expect(await whoAnswers(url)).toBe('a');
  });

  it('that died are passed over without a failure, whatever the method, and rest afterwards', async () => {
    const [a, b] = [await replica('a'), await replica('b')];
    const { url, statusUrl } = await gateway([a, b]);
    await a.close();
    const order = { method: 'POST', body: '{"sku":"MUG-BLUE"}', headers: { 'content-type': 'application/json' } };
    expect(await answersOf(url, 10, order)).toBe('b'.repeat(10));
    expect(b.received.map(({ body }) => body)).toEqual(Array.from({ length: 10 }, () => order.body));
    expect(await whoAnswers(`${statusUrl}/metrics`)).toContain('gateway_retries_total{api="order"} 1');
  });
});

describe('a request', () => {
  it('reaches the service as it was sent: path, query, bytes, trace and idempotency key', async () => {
    const a = await replica('a');
    const { url } = await gateway([a]);
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'idempotency-key': 'k-1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'vendor=1',
    };
    const body = '{ "sku" :  "MUG-BLUE" }\n';
    await fetch(`${url}/orders/a%2Fb?x=1&y=%20`, { method: 'POST', headers, body });
    expect(a.received).toEqual([
      { method: 'POST', url: '/orders/a%2Fb?x=1&y=%20', headers: expect.objectContaining(headers), body },
    ]);
  });

  it('tells the service who sent it, and not what its sender claims about that', async () => {
    const a = await replica('a');
    const { url } = await gateway([a]);
    await fetch(url, {
      headers: { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-host': 'evil.example', forwarded: 'for=6' },
    });
    const host = new URL(url).host;
    expect(a.received[0]?.headers).toMatchObject({
      host,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': host,
      'x-forwarded-proto': 'http',
    });
    expect(a.received[0]?.headers).not.toHaveProperty('forwarded');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'by %s that was sent is not sent again when the replica breaks off',
    async (method) => {
      const [a, b] = [await replica('a'), await replica('b')];
      for (const each of [a, b]) each.answer = (request) => request.socket.destroy();
      const { url } = await gateway([a, b]);
      const response = await fetch(`${url}/orders`, { method, body: '{}' });
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({
        type: 'https://millrace.dev/problems/bad-gateway',
        detail: expect.stringContaining('idempotency-key'),
        instance: '/orders',
      });
      expect(a.received.length + b.received.length).toBe(1);
    },
  );

  it.each(['GET', 'POST'])(
    'by %s that a replica has no time for is not sent to another: its caller gets the answer and when to come again',
    async (method) => {
      const [a, b] = [await replica('a'), await replica('b')];
      const body = JSON.stringify({ type: 'https://millrace.dev/problems/too-busy', reason: 'outbox-full' });
      for (const each of [a, b]) {
        each.answer = (_request, response) => {
          response.writeHead(503, { 'retry-after': '17', 'content-type': 'application/problem+json' }).end(body);
        };
      }
      const { url, statusUrl } = await gateway([a, b]);
      const response = await fetch(`${url}/orders`, { method, ...(method === 'POST' ? { body: '{}' } : {}) });
      expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([503, '17', body]);
      expect(a.received.length + b.received.length).toBe(1);
      // It was reached and has its turn again: it is busy, not away.
      expect(await whoAnswers(`${statusUrl}/metrics`)).not.toMatch(/^gateway_retries_total\{.*\} [1-9]/m);
      await fetch(`${url}/orders`);
      expect([a.received.length, b.received.length]).toEqual([1, 1]);
    },
  );

  it('with an idempotency-key is sent to another replica, byte for byte, when one breaks off, and once to each', async () => {
    const [a, b] = [await replica('a'), await replica('b')];
    a.answer = (request) => request.socket.destroy();
    const { url } = await gateway([a, b]);
    const named = { method: 'POST', headers: { 'idempotency-key': 'k-1' }, body: '{ "sku" : 1 }' };
    for (let request = 0; request < 4; request++) {
      expect(await (await fetch(`${url}/orders`, named)).text()).toBe('b');
    }
    for (const { headers, body } of b.received) {
      expect([headers['idempotency-key'], body]).toEqual(['k-1', '{ "sku" : 1 }']);
    }
    b.answer = (request) => request.socket.destroy();
    const tried = a.received.length + b.received.length;
    expect((await fetch(`${url}/orders`, named)).status).toBe(502);
    expect(a.received.length + b.received.length).toBe(tried + 2);
  });

  it('that changes nothing is sent to another replica when one breaks off', async () => {
    const [a, b] = [await replica('a'), await replica('b')];
    a.answer = (request) => request.socket.destroy();
    const { url } = await gateway([a, b]);
    expect(await answersOf(url, 4)).toBe('bbbb');
  });

  it('with a body that no service takes is refused before one is asked', async () => {
    const a = await replica('a');
    const { url } = await gateway([a]);
    const response = await fetch(url, { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) });
    expect(response.status).toBe(413);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(a.received).toEqual([]);
  });

  it('with a path that is none is refused', async () => {
    const { url } = await gateway([await replica('a')]);
    const response = await fetch(`${url}/orders/%zz`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: 'https://millrace.dev/problems/malformed-http' });
  });

  it('beyond the limit is refused, and the next one after that is not', async () => {
    const a = await replica('a');
    const held: (() => void)[] = [];
    a.answer = (_request, response) => void held.push(() => response.end('a'));
    const { url } = await gateway([a], { GATEWAY_MAX_OPEN_REQUESTS: '1' });
    const first = whoAnswers(url);
    await until(() => held.length === 1);
    const refused = await fetch(url);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    held[0]?.();
    expect(await first).toBe('a');
    a.answer = (_request, response) => void response.end('a');
    await until(async () => (await whoAnswers(url)) === 'a');
  });
});

describe('an answer', () => {
  it('reaches the caller as it was given: status, headers, no body where there is none', async () => {
    const a = await replica('a');
    const { url } = await gateway([a]);
    a.answer = (_request, response) =>
      void response
        .writeHead(202, { location: '/orders/1', traceresponse: '00-aa-bb-01', 'set-cookie': ['a=1', 'b=2'] })
        .end('{}');
    const accepted = await fetch(url, { method: 'POST' });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe('/orders/1');
    expect(accepted.headers.get('traceresponse')).toBe('00-aa-bb-01');
    expect(accepted.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    a.answer = (_request, response) => void response.writeHead(204).end();
    expect((await fetch(url)).status).toBe(204);
    a.answer = (_request, response) => void response.writeHead(200, { 'content-length': '7' }).end();
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('7');
  });

  it('of a service that refuses is passed on, not repeated', async () => {
    const [a, b] = [await replica('a'), await replica('b')];
    for (const each of [a, b])
      each.answer = (_request, response) => void response.writeHead(503, { 'retry-after': '1' }).end('full');
    const { url } = await gateway([a, b]);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('full');
    expect(a.received.length + b.received.length).toBe(1);
  });

  it('that is too slow becomes a problem, and no other replica is asked', async () => {
    const [a, b] = [await replica('a'), await replica('b')];
    for (const each of [a, b]) each.answer = () => {};
    const { url, statusUrl } = await gateway([a, b], { GATEWAY_ANSWER_TIMEOUT_MS: '2000' });
    const response = await fetch(url);
    expect(response.status).toBe(504);
    expect(a.received.length + b.received.length).toBe(1);
    expect(await whoAnswers(`${statusUrl}/metrics`)).toContain(
      'gateway_upstream_failures_total{api="order",reason="timeout"} 1',
    );
  });

  it('that stops half-way is broken off, so that nobody takes it for whole', async () => {
    const a = await replica('a');
    a.answer = (_request, response) => void response.write('half');
    const { url } = await gateway([a], { GATEWAY_SILENCE_TIMEOUT_MS: '2000' });
    const response = await fetch(url);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('says what to do when there is no replica, or none that can be reached', async () => {
    const a = await replica('a');
    const { url, find } = await gateway([]);
    const missing = await fetch(url, { method: 'POST', body: '{}' });
    expect(missing.status).toBe(503);
    expect(await missing.json()).toMatchObject({
      detail: expect.stringContaining('No replica of the order service is running'),
    });
    await find([a]);
    await a.close();
    const unreachable = await fetch(url, { method: 'POST', body: '{}' });
    expect(unreachable.status).toBe(503);
    expect(unreachable.headers.get('retry-after')).toBe('1');
    expect(await unreachable.json()).toMatchObject({
      detail: expect.stringContaining('can be reached. Nothing was sent'),
    });
  });
});
