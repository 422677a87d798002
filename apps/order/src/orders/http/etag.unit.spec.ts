import { describe, expect, it } from '@jest/globals';
import { etagOf, isNoneOf } from './etag.ts';

const etag = etagOf('{"status":"placed"}');

describe('an ETag', () => {
  it('is quoted, and the same for the same bytes only', () => {
    expect(etag).toMatch(/^"[\w-]{27}"$/);
    expect(etagOf('{"status":"placed"}')).toBe(etag);
    expect(etagOf('{"status":"confirmed"}')).not.toBe(etag);
  });

  it.each([undefined, '"other"', '"one", "two"'])('is none of %p', (header) => {
    expect(isNoneOf(header, etag)).toBe(true);
  });

  it.each([etag, `W/${etag}`, `"other", ${etag}`, '*'])('is named by %p', (header) => {
    expect(isNoneOf(header, etag)).toBe(false);
  });
});
