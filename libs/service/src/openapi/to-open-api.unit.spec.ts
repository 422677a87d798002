import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { toOpenApi } from './to-open-api.ts';

const Money = z.object({ amountMinor: z.int().nonnegative() }).meta({ id: 'Money', description: 'an amount' });

describe('a schema in the API document', () => {
  it('is complete in itself: named schemas are written out where they are used', () => {
    const text = JSON.stringify(toOpenApi(z.object({ total: Money, tax: Money.optional() })));
    expect(text).not.toContain('$defs');
    expect(text).not.toContain('$ref');
    expect(text).not.toContain('$schema');
    expect(JSON.parse(text)).toMatchObject({
      type: 'object',
      required: ['total'],
      properties: { total: { type: 'object', description: 'an amount' }, tax: { type: 'object' } },
    });
  });

  it('keeps properties that are called like keywords', () => {
    const schema = z.object({ id: z.string(), $ref: z.string() });
    expect(Object.keys(toOpenApi(schema).properties ?? {})).toEqual(['id', '$ref']);
  });

  it('describes what is sent, or on request what comes out', () => {
    const schema = z.object({ limit: z.number().default(20) });
    expect(toOpenApi(schema).required).toBeUndefined();
    expect(toOpenApi(schema, 'output').required).toEqual(['limit']);
  });
});
