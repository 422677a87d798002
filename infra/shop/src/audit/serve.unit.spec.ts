import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Health, Metrics } from '@millrace/observability';
import { serve } from './serve.ts';

describe('the pages of an auditor', () => {
  let server: Server;
  beforeAll(async () => {
    server = await serve({ host: '127.0.0.1', port: 0 }, new Metrics(), new Health());
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ['/metrics', 200],
    ['/metrics?name=books', 200],
    ['/health/live', 200],
    ['/health/ready', 200],
    ['/', 404],
    ['//', 404],
    ['/\\', 404],
  ])('answer %s with %d', async (path, status) => {
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(get({ host: '127.0.0.1', port, path }), 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(status);
  });
});
