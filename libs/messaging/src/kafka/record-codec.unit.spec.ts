import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';

// The inside of the patched client: what its patch writes must be what the client wrote before, byte for byte.
const inside = createRequire(createRequire(import.meta.url).resolve('kafkajs'));

interface RecordToWrite {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>;
}

interface RecordRead {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[] | null>>;
}

interface Reader {
  readVarInt(): number;
}

const write = inside('./src/protocol/recordBatch/record/v0/index.js') as (record: RecordToWrite) => { buffer: Buffer };
const read = inside('./src/protocol/recordBatch/record/v0/decoder.js') as (
  reader: Reader,
  batch: { readonly firstOffset: string; readonly firstTimestamp: string },
) => RecordRead;
const Decoder = inside('./src/protocol/decoder.js') as new (buffer: Buffer) => Reader;

const murmur2 = inside('./src/producer/partitioners/default/murmur2.js') as (key: Buffer | string) => number;

const START = { firstOffset: '100', firstTimestamp: '1790000000000' };

const record = (more: Partial<RecordToWrite>): RecordToWrite => ({
  offsetDelta: 0,
  timestampDelta: 0,
  key: 'k',
  value: 'v',
  headers: {},
  ...more,
});

function readBack(bytes: Buffer, batch = START): RecordRead {
  const reader = new Decoder(bytes);
  expect(reader.readVarInt()).toBeGreaterThan(0);
  return read(reader, batch);
}

describe('a record as Kafka stores it (record format 2)', () => {
  it.each([
    [
      'with headers',
      record({ offsetDelta: 3, timestampDelta: 40, headers: { a: '1', b: Buffer.from([0xff]) } }),
      '20005006026b02760402610231026202ff',
    ],
    ['with nothing in it', record({ key: null, value: null }), '0c000000010100'],
    [
      'with a header that comes twice, a key beyond ASCII and a time before the first of its batch',
      record({ offsetDelta: 64, timestampDelta: -1, key: Buffer.from('ä'), value: '', headers: { a: ['1', '2'] } }),
      '220001800104c3a400040261023102610232',
    ],
    [
      'far from the first of its batch',
      record({ offsetDelta: 8191, timestampDelta: 2 ** 31 }),
      '1a008080808010fe7f026b027600',
    ],
    [
      'long before the first of its batch',
      record({ offsetDelta: 1, timestampDelta: -(2 ** 40) }),
      '1a00ffffffffff3f02026b027600',
    ],
  ])('is written as the client without a patch writes it: %s', (_which, written, bytes) => {
    expect(write(written).buffer.toString('hex')).toBe(bytes);
  });

  it.each([
    0,
    1,
    -1,
    63,
    64,
    -64,
    -65,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 47,
    2 ** 48,
    2 ** 50,
    -(2 ** 50),
  ])('is read with the time that it was written with: %d ms from the first of its batch', (timestampDelta) => {
    const { timestamp } = readBack(write(record({ timestampDelta })).buffer);
    expect(timestamp).toBe(String(BigInt(START.firstTimestamp) + BigInt(timestampDelta)));
  });

  it('has an offset beyond what a double holds', () => {
    const bytes = write(record({ offsetDelta: 5 })).buffer;
    expect(readBack(bytes, { ...START, firstOffset: '9223372036854775800' }).offset).toBe('9223372036854775805');
  });

  it('keeps every header, whatever it is called and however often it comes', () => {
    const headers: RecordToWrite['headers'] = {
      one: 'a',
      many: ['b', Buffer.from('c'), 'd'],
      toString: 'e',
      ['__proto__']: 'f',
      empty: '',
      ünïcode: 'ß',
    };
    const seen = readBack(write(record({ headers })).buffer).headers;
    const texts = Object.keys(seen).map((name) => [name, [seen[name] ?? []].flat().map(String)]);
    expect(texts).toEqual([
      ['one', ['a']],
      ['many', ['b', 'c', 'd']],
      ['toString', ['e']],
      ['__proto__', ['f']],
      ['empty', ['']],
      ['ünïcode', ['ß']],
    ]);
    expect(Object.getPrototypeOf(seen)).toBe(Object.prototype);
  });

  it('is large, and whole', () => {
    const value = Buffer.alloc(900_000, 'x');
    const read = readBack(write(record({ key: null, value, headers: { long: 'y'.repeat(70_000) } })).buffer);
    expect(read.value?.equals(value)).toBe(true);
    expect(String(read.headers['long'])).toHaveLength(70_000);
    expect(read.key).toBeNull();
  });
});

describe('the hash by which a key has its partition', () => {
  it.each([
    ['', 275646681],
    ['a', -1563381124],
    ['ab', 316155434],
    ['abc', 479470107],
    ['äöü', -2070914556],
    ['0192f3a4-aaaa-7bbb-8ccc-0123456789ab', -1170073968],
  ])('is that of the client without a patch: "%s"', (key, hash) => {
    expect(murmur2(key)).toBe(hash);
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });
});
