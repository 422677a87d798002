import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { probeModule } from '../fixtures/probe.module.ts';
import { baseConfig, loadConfig, type RunningService, startService } from '../index.ts';

// Nothing listens on port 1: the database of this service is away for good.
const config = loadConfig(z.object(baseConfig({ httpPort: 0 })), {
  DATABASE_URL: 'postgresql://probe@127.0.0.1:1/probe',
  KAFKA_BROKERS: '127.0.0.1:1',
  HTTP_PORT: '0',
  LOG_LEVEL: 'silent',
});

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-00`;
const JSON_TYPE = { 'content-type': 'application/json' };

let service: RunningService;
beforeAll(async () => {
  service = await startService({ name: 'probe', config, module: probeModule(config) });
});
afterAll(() => service.stop());

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const ask = (path: string, { headers = {}, ...init }: Ask = {}): Promise<Response> =>
  fetch(`${service.url}${path}`, { ...init, headers: { traceparent: TRACEPARENT, ...headers } });

const post = (path: string, body?: string, headers: Record<string, string> = JSON_TYPE): Promise<Response> =>
  ask(path, { method: 'POST', headers, ...(body === undefined ? {} : { body }) });

/** The problem that was answered, after a look at what every problem has. */
async function problemIn(response: Response): Promise<Record<string, unknown>> {
  const problem = (await response.json()) as Record<string, unknown>;
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(problem).toMatchObject({
    status: response.status,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/./),
    instance: new URL(response.url).pathname,
    traceId: TRACE_ID,
  });
  return problem;
}

const is = (status: number, slug: string) => ({ status, type: `https://millrace.dev/problems/${slug}` });

describe('a request that is accepted', () => {
  it('reaches the handler as what the schema makes of it', async () => {
    const basket = JSON.stringify({ customer: 'ada', lines: [{ sku: 'MUG', quantity: 1 }] });
    expect(await (await post('/baskets', basket)).json()).toEqual({ lines: 1 });
    expect(await (await ask('/baskets?limit=7')).json()).toEqual({ limit: 7 });
    expect(await (await ask('/baskets')).json()).toEqual({ limit: 20 });
  });

  it('keeps the trace of its caller, in the handler too, after a body and an await', async () => {
    const { traceparent } = (await (await post('/traced', '{"any":"body"}')).json()) as { traceparent: string };
    expect(traceparent).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`));
    expect(traceparent).not.toContain('b7ad6b7169203331');
  });

  it('needs no body where none is asked for', async () => {
    expect((await post('/traced')).status).toBe(201);
    expect((await post('/traced', undefined, {})).status).toBe(201);
  });
});

describe('a request that is refused', () => {
  it('names every part of a body that is wrong', async () => {
    const problem = await problemIn(await post('/baskets', '{"lines":[{"sku":""}]}'));
    expect(problem).toMatchObject(is(400, 'invalid-request'));
    expect(problem['errors']).toEqual([
      { path: 'customer', message: expect.stringContaining('expected string') },
      { path: 'lines[0].sku', message: expect.any(String) },
      { path: 'lines[0].quantity', message: expect.any(String) },
    ]);
  });

  it('names the part of the query that is wrong, and does not repeat the query', async () => {
    const problem = await problemIn(await ask('/baskets?limit=1000'));
    expect(problem).toMatchObject(is(400, 'invalid-request'));
    expect(problem['errors']).toEqual([{ path: 'limit', message: expect.any(String) }]);
  });

  it('names the part of the path that is wrong', async () => {
    const problem = await problemIn(await ask('/baskets/seven'));
    expect(problem).toMatchObject(is(400, 'invalid-request'));
    expect(problem['errors']).toEqual([{ path: 'id', message: expect.any(String) }]);
  });

  it('is invalid JSON', async () => {
    expect(await problemIn(await post('/baskets', '{"lines":'))).toMatchObject(is(400, 'invalid-json'));
  });

  it('tries to pollute a prototype', async () => {
    expect(await problemIn(await post('/baskets', '{"__proto__":{"admin":true}}'))).toMatchObject(
      is(400, 'invalid-json'),
    );
  });

  it('has no body where one is needed', async () => {
    expect(await problemIn(await post('/baskets'))).toMatchObject(is(400, 'empty-body'));
    expect(await problemIn(await post('/baskets', undefined, {}))).toMatchObject(is(400, 'empty-body'));
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])('is %s', async (type) => {
    expect(await problemIn(await post('/baskets', 'a=b', { 'content-type': type }))).toMatchObject(
      is(415, 'unsupported-media-type'),
    );
  });

  it('is larger than 64 KiB', async () => {
    const customer = 'x'.repeat(64 * 1024);
    expect(await problemIn(await post('/baskets', JSON.stringify({ customer })))).toMatchObject(
      is(413, 'body-too-large'),
    );
  });

  it('asks for what is not there', async () => {
    expect(await problemIn(await ask('/nowhere?token=secret'))).toMatchObject(is(404, 'not-found'));
  });

  it('uses a method that the path does not answer', async () => {
    const response = await ask('/baskets/7', { method: 'DELETE' });
    expect(await problemIn(response)).toMatchObject(is(405, 'method-not-allowed'));
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('has an id longer than any id', async () => {
    expect(await problemIn(await ask(`/baskets/${'x'.repeat(600)}`))).toMatchObject(is(414, 'path-too-long'));
  });

  it('has a path that is no URL', async () => {
    expect(await problemIn(await ask('/baskets/%ff'))).toMatchObject(is(400, 'invalid-url'));
  });

  it('is no HTTP', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.end('HELLO\r\n\r\n');
    const answer = (await socket.toArray()).join('');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/);
    expect(answer).toContain('https://millrace.dev/problems/malformed-http');
  });

  it('meets a problem that the handler states, with its members and headers', async () => {
    const response = await post('/baskets/7/abandonment');
    const problem = await problemIn(response);
    expect(problem).toMatchObject(is(409, 'already-sold'));
    expect(problem['soldTo']).toBe('ada');
    expect(response.headers.get('x-basket')).toBe('sold');
  });

  it('comes while the database is away', async () => {
    const response = await ask('/stored');
    expect(await problemIn(response)).toMatchObject(is(503, 'database-unavailable'));
    expect(response.headers.get('retry-after')).toBe('1');
  });

  it('meets a fault, of which it learns nothing but the trace', async () => {
    const problem = await problemIn(await ask('/fault'));
    expect(problem).toMatchObject(is(500, 'internal-error'));
    expect(JSON.stringify(problem)).not.toContain('42');
  });
});

describe('what operators ask', () => {
  it('is alive although its database is away, but not ready, and says why', async () => {
    expect((await ask('/health/live')).status).toBe(200);
    const response = await ask('/health/ready');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'not ready',
      checks: { database: expect.stringContaining('ECONNREFUSED') },
    });
  });

  it('counts requests by route, not by URL', async () => {
    await (await ask('/baskets/0198c0de-0000-7000-8000-000000000000')).text();
    await (await ask('/nowhere/else')).text();
    const response = await ask('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const text = await response.text();
    expect(text).toContain('http_server_requests_seconds_count{method="GET",route="/baskets/:id",status="200"}');
    expect(text).toContain('http_server_requests_seconds_count{method="GET",route="unmatched",status="404"}');
    expect(text).not.toContain('0198c0de');
    expect(text).not.toContain('/nowhere');
  });
});

describe('the API document', () => {
  it('is OpenAPI 3.1 and describes what the schemas check', async () => {
    const document = (await (await ask('/openapi.json')).json()) as { openapi: string; paths: Record<string, object> };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).filter((path) => /health|metrics/.test(path))).toEqual([]);
    expect(document.paths['/baskets']).toMatchObject({
      post: {
        summary: 'Keeps a basket',
        requestBody: {
          content: {
            'application/json': {
              schema: { required: ['customer', 'lines'], properties: { lines: { type: 'array' } } },
            },
          },
        },
        responses: { 400: { content: { 'application/problem+json': {} } }, 503: {} },
      },
      get: { parameters: [{ name: 'limit', in: 'query', required: false, schema: { maximum: 100 } }] },
    });
    expect(document.paths['/baskets/{id}']).toMatchObject({
      get: { parameters: [{ name: 'id', in: 'path', required: true, schema: { format: 'uuid' } }] },
    });
  });

  it('has a page to browse it that loads nothing from elsewhere', async () => {
    const page = await (await ask('/docs')).text();
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
    const assets = [...page.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) expect((await fetch(new URL(asset, `${service.url}/docs`))).status).toBe(200);
  });
});

describe('a stop', () => {
  it('ends event streams, finishes, and takes no more requests', async () => {
    const own = await startService({ name: 'probe', config, module: probeModule(config) });
    const stream = await fetch(`${own.url}/stream`);
    const stopped = own.stop();
    expect(await stream.text()).toBe('event: open\n\nevent: end\n\n');
    await stopped;
    await expect(fetch(`${own.url}/health/live`)).rejects.toThrow('fetch failed');
    await own.stop();
  });

  it('cuts off whoever does not end by themselves', async () => {
    const own = await startService({ name: 'probe', config, module: probeModule(config) });
    const stream = await fetch(`${own.url}/stubborn`);
    const cut = once(own.app.getHttpServer(), 'close');
    await own.stop();
    await cut;
    await expect(stream.text()).rejects.toThrow('terminated');
  });

  it('of a service whose port is taken leaves nothing open', async () => {
    const taken = { ...config, HTTP_PORT: Number(new URL(service.url).port) };
    await expect(startService({ name: 'probe', config: taken, module: probeModule(taken) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
