import { createHash } from 'node:crypto';

// Eight bytes notice every slip of a hand; a cursor guards no secret, because each page asks for its list again.
const CHECKSUM_BYTES = 8;

/**
 * Where a page ends, as text that only this service reads: base64url of a checksum and the sort key of the page's last
 * item. `list` names the list, with its filter, that the cursor belongs to.
 */
export function encodeCursor(list: string, lastKey: string): string {
  return Buffer.concat([checksumOf(list, lastKey), Buffer.from(lastKey)]).toString('base64url');
}

/** The sort key in a cursor of this list; nothing when it was changed, cut, or belongs to another list. */
export function decodeCursor(list: string, cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  const lastKey = bytes.subarray(CHECKSUM_BYTES).toString();
  // Encoding again refuses what base64url decoding forgives: padding, stray characters, surplus bits.
  return encodeCursor(list, lastKey) === cursor ? lastKey : undefined;
}

function checksumOf(list: string, lastKey: string): Buffer {
  return createHash('sha256').update(`${list}\0${lastKey}`).digest().subarray(0, CHECKSUM_BYTES);
}
