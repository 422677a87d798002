/**
 * Text that PostgreSQL, a mail header and a parcel label can all hold: no control characters and no halves of a
 * character. One NUL in a street would otherwise fail the statement that stores it, and its whole batch with it.
 */
export const PLAIN_TEXT = /^[^\p{Cc}\p{Cs}]*$/u;
export const PLAIN_TEXT_HINT = 'expected text without control characters';
