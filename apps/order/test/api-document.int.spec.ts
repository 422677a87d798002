import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OrderApi, startOrderApi, stockedDatabase } from './order-api.ts';
import type { OrderDatabase } from './order-database.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: { readonly examples?: readonly Record<string, unknown>[] } }>;
  };
  readonly responses: Record<
    string,
    { readonly content?: Record<string, unknown>; readonly headers?: Record<string, unknown> }
  >;
}

interface ApiDocument {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

let database: OrderDatabase;
let api: OrderApi;
let document: ApiDocument;

beforeAll(async () => {
  database = await stockedDatabase();
  api = await startOrderApi(database.url);
  document = (await api.get('/openapi.json')).body as unknown as ApiDocument;
});

afterAll(async () => {
  await api.stop();
  await database.drop();
});

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

describe('the API document', () => {
  it('is OpenAPI 3.1 and has every route', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(
      operations()
        .map(([route]) => route)
        .toSorted(),
    ).toEqual([
      'GET /orders',
      'GET /orders/{orderId}',
      'GET /orders/{orderId}/stream',
      'GET /orders/{orderId}/timeline',
      'GET /products',
      'GET /products/{sku}',
      'POST /orders',
      'POST /orders/{orderId}/cancellation',
    ]);
  });

  it('describes what each route answers, and its problems', () => {
    for (const [route, { operationId, summary, responses }] of operations()) {
      expect({ route, operationId, summary }).toEqual({
        route,
        operationId: expect.any(String),
        summary: expect.any(String),
      });
      const successes = Object.keys(responses).filter((status) => status.startsWith('2'));
      expect({ route, successes }).toEqual({ route, successes: expect.arrayContaining([expect.any(String)]) });
      const problems = Object.entries(responses).filter(([status]) => Number(status) >= 400);
      expect(problems.map(([status]) => status)).toEqual(expect.arrayContaining(['400', '503']));
      for (const [, { content }] of problems) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    }
  });

  it('says of each 503 that it tells when to come again', () => {
    for (const [route, { responses }] of operations()) {
      expect({ route, headers: Object.keys(responses['503']?.headers ?? {}) }).toEqual({
        route,
        headers: ['Retry-After'],
      });
    }
  });

  it('names the parameters of each route', () => {
    const parametersOf = (route: string): string[] =>
      (operations().find(([name]) => name === route)?.[1].parameters ?? []).map(
        ({ name, in: place, required }) => `${place} ${name}${required === true ? '' : '?'}`,
      );
    expect(parametersOf('POST /orders')).toEqual(['header Idempotency-Key']);
    expect(parametersOf('GET /orders').toSorted()).toEqual(['query cursor?', 'query customer', 'query limit?']);
    expect(parametersOf('GET /orders/{orderId}').toSorted()).toEqual(['header If-None-Match?', 'path orderId']);
    expect(parametersOf('GET /orders/{orderId}/stream').toSorted()).toEqual(['header Last-Event-ID?', 'path orderId']);
    expect(parametersOf('GET /products').toSorted()).toEqual(['query cursor?', 'query limit?', 'query q?']);
  });

  it('has an example of an order that is accepted as it stands', async () => {
    const placeOrder = document.paths['/orders']?.['post'];
    const [example] = placeOrder?.requestBody?.content['application/json']?.schema.examples ?? [];
    expect((await api.place(example, randomUUID())).status).toBe(202);
  });

  it('can be browsed at /docs', async () => {
    const { status, headers } = await api.get('/docs');
    expect([status, headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/html/)]);
  });
});
