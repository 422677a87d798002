import { createHash } from 'node:crypto';

/** A strong ETag: two representations have the same one only when they are the same bytes. */
export function etagOf(representation: string): string {
  return `"${createHash('sha256').update(representation).digest('base64url').slice(0, 27)}"`;
}

/** Whether an `If-None-Match` header names the ETag (RFC 9110 §13.1.2: by weak comparison; `*` names every one). */
export function isNoneOf(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return true;
  const named = ifNoneMatch.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return !named.includes('*') && !named.includes(etag);
}
