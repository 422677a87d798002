import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from './config.ts';

function complaintAbout(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the routes of the gateway', () => {
  it('lead from a port to the name of a service', () => {
    const { GATEWAY_ROUTES } = readConfig({
      GATEWAY_ROUTES: '8080=http://order:8080, 8082=http://inventory.shop:9000/',
    });
    expect(GATEWAY_ROUTES).toEqual([
      { api: 'order', port: 8080, upstream: new URL('http://order:8080') },
      { api: 'inventory', port: 8082, upstream: new URL('http://inventory.shop:9000') },
    ]);
  });

  it.each([
    ['8080', 'expected port=http://name:port, not 8080'],
    ['8080=order:8080', 'expected port=http'],
    ['99999=http://order:8080', 'expected port=http'],
    ['8080=http://order:8080/path', 'expected port=http'],
    ['8080=http://order:8080,', 'expected port=http'],
    ['8080=http://order:8080,8080=http://payment:8080', 'the port 8080 has two routes'],
    ['8080=http://order:8080,8081=http://order:8080', 'the API order has two routes'],
    ['8081=http://payment:8080', 'GATEWAY_ORDER_API is not valid (no route leads there)'],
  ])('are refused when they are %s', (routes, complaint) => {
    expect(complaintAbout({ GATEWAY_ROUTES: routes })).toContain(complaint);
  });

  it('are needed, and everything that is wrong is listed at once', () => {
    expect(complaintAbout({ GATEWAY_ROUTES: '', GATEWAY_MAX_OPEN_REQUESTS: 'many' }).split('\n')).toEqual([
      expect.stringContaining('Set these environment variables'),
      expect.stringContaining('GATEWAY_ROUTES is missing: the APIs, as port=http'),
      expect.stringContaining('GATEWAY_MAX_OPEN_REQUESTS is not valid (expected a number)'),
    ]);
  });
});
