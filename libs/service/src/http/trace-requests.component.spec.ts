import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { probeModule } from '../fixtures/probe.module.ts';
import { baseConfig, loadConfig, startService } from '../index.ts';

/** Everything that a collector hears of what is asked, as protobuf, in which names and texts are readable. */
async function spansOf(paths: readonly string[]): Promise<string> {
  const heard: string[] = [];
  const collector = createServer((request, response) => {
    void text(request).then((spans) => {
      heard.push(spans);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const config = loadConfig(z.object(baseConfig({ httpPort: 0 })), {
    DATABASE_URL: 'postgresql://probe@127.0.0.1:1/probe',
    KAFKA_BROKERS: '127.0.0.1:1',
    HTTP_PORT: '0',
    LOG_LEVEL: 'silent',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  });
  const service = await startService({ name: 'probe', config, module: probeModule(config) });
  for (const path of paths) await (await fetch(`${service.url}${path}`)).text();
  await service.stop();
  collector.close();
  collector.closeAllConnections();
  return heard.join('\n');
}

describe('the span of a request', () => {
  it('has the method and route as its name, and says how it ended', async () => {
    const spans = await spansOf(['/baskets/seven?token=secret', '/nowhere', '/fault']);
    expect(spans).toContain('GET /baskets/:id');
    expect(spans).toContain('http.route');
    expect(spans).toContain('http.request.method');
    expect(spans).toContain('http.response.status_code');
    expect(spans).toContain('/baskets/seven');
    expect(spans).toContain('/nowhere');
    expect(spans).toContain('error.type');
    expect(spans).not.toContain('secret');
  });

  it('does not exist for probes', async () => {
    const spans = await spansOf(['/health/live', '/health/ready', '/metrics', '/baskets']);
    expect(spans).toContain('GET /baskets');
    expect(spans).not.toContain('health');
    expect(spans).not.toContain('metrics');
  });
});
