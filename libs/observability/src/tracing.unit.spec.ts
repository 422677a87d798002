import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { context, trace } from '@opentelemetry/api';
import { contextOf, currentTraceparent } from './traceparent.ts';
import { startTracing } from './tracing.ts';

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

const traceparentOfNewSpan = (): string | undefined =>
  trace.getTracer('test').startActiveSpan('work', (span) => {
    const traceparent = currentTraceparent();
    span.end();
    return traceparent;
  });

async function collector() {
  const received: { path: string; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString('latin1') });
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { received, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

describe('tracing without a collector', () => {
  it('gives every span ids but samples none, not even what a caller sampled', async () => {
    const tracing = startTracing({ service: 'order', sampleRatio: 1 });
    expect(traceparentOfNewSpan()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(context.with(contextOf(SAMPLED), traceparentOfNewSpan)).toMatch(
      /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/,
    );
    await tracing.shutdown();
  });

  it('keeps the context across awaits', async () => {
    const tracing = startTracing({ service: 'order', sampleRatio: 1 });
    const [before, after] = await context.with(contextOf(SAMPLED), async () => {
      const first = currentTraceparent();
      await new Promise(setImmediate);
      return [first, currentTraceparent()];
    });
    expect(before).toBe(SAMPLED);
    expect(after).toBe(SAMPLED);
    await tracing.shutdown();
  });
});

describe('tracing with a collector', () => {
  it('sends what is buffered at shutdown, with the name of the service', async () => {
    const { received, endpoint, close } = await collector();
    const tracing = startTracing({ service: 'order', otlpEndpoint: `${endpoint}/`, sampleRatio: 1 });
    expect(traceparentOfNewSpan()).toMatch(/-01$/);
    await tracing.shutdown();
    await close();
    expect(received.map(({ path }) => path)).toEqual(['/v1/traces']);
    expect(received[0]?.body).toContain('service.name');
    expect(received[0]?.body).toContain('work');
  });

  it('follows the decision of the caller', async () => {
    const { endpoint, close } = await collector();
    const tracing = startTracing({ service: 'order', otlpEndpoint: endpoint, sampleRatio: 0 });
    expect(traceparentOfNewSpan()).toMatch(/-00$/);
    expect(context.with(contextOf(SAMPLED), traceparentOfNewSpan)).toMatch(/-01$/);
    expect(context.with(contextOf(UNSAMPLED), traceparentOfNewSpan)).toMatch(/-00$/);
    await tracing.shutdown();
    await close();
  });

  it('warns once, and stops in time, while the collector is down', async () => {
    const { endpoint, close } = await collector();
    await close();
    const warnings: string[] = [];
    const tracing = startTracing({
      service: 'order',
      otlpEndpoint: endpoint,
      sampleRatio: 1,
      warn: (message) => warnings.push(message),
    });
    // More than fits into the queue: what is too much is dropped, not kept.
    for (let i = 0; i < 10_000; i++) traceparentOfNewSpan();
    const startedMs = performance.now();
    await tracing.shutdown();
    expect(performance.now() - startedMs).toBeLessThan(6_000);
    expect(warnings).toEqual([expect.stringContaining('takes no spans')]);
  });
});
