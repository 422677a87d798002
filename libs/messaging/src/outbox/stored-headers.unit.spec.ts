import { describe, expect, it } from '@jest/globals';
import { headersOf, storedHeaders } from './stored-headers.ts';

describe('headers that are stored', () => {
  it('come back byte for byte and as often as they stood there', () => {
    const headers = {
      ce_id: Buffer.from('01a20636-024c-70fb-a445-5bec3ab18573'),
      baggage: [Buffer.from('first'), Buffer.from([0xff, 0x00]), Buffer.from('first')],
      empty: Buffer.alloc(0),
      signature: Buffer.from([0xc3, 0x28]),
    };
    const back = headersOf(JSON.stringify(storedHeaders(headers)));
    const bytes = (value: unknown): unknown =>
      Array.isArray(value) ? value.map((one) => Buffer.from(one)) : Buffer.from(value as string);
    expect(Object.entries(back).map(([name, value]) => [name, bytes(value)])).toEqual(Object.entries(headers));
  });

  it("lose nothing but the difference between no value and an empty one, which Kafka's client cannot send", () => {
    expect(storedHeaders({ gone: undefined, none: null })).toEqual({ none: '' });
  });
});
