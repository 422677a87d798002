// Work that fails with one of these did nothing wrong: the server was away, full, or on its way down or up.
const UNAVAILABLE_SQLSTATES = new Set([
  '25006', // read-only: a standby that is being promoted, or a primary that was demoted
  '25P03', // the session was idle in a transaction for too long (a stopped or starved process)
  '25P04', // the transaction took too long
  '57P01', // administrator shut the session down
  '57P02', // another session crashed the server
  '57P03', // starting up, shutting down or recovering
  '57P04', // the database was dropped, for example while it is being restored
  '57P05', // the session was idle for too long
  '58030', // the disk failed to read or write
]);

// 08 connection exception; 53 out of disk, memory or connections.
const UNAVAILABLE_SQLSTATE_CLASSES = new Set(['08', '53']);

const SOCKET_ERRORS = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND', // a stopped container has no name any more
  'EPIPE',
  'ETIMEDOUT',
]);

// Prisma's own codes: cannot reach, timed out reaching, closed, pool timeout, too many connections.
const PRISMA_UNAVAILABLE = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037']);

// What Prisma's adapter makes of a socket error; a raw query's own code, P2010, says only that it failed.
const ADAPTER_UNAVAILABLE = new Set([
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TooManyConnections',
]);

// pg and pg-pool give these no code.
const UNAVAILABLE_MESSAGES = [
  /^Connection terminated/,
  /^timeout exceeded when trying to connect$/,
  /^timeout expired$/,
  /^Query read timeout$/,
  /^Client has encountered a connection error and is not queryable$/,
  /^Client was closed and is not queryable$/,
  /^Cannot use a pool after calling end on the pool$/,
];

// Serialization failure, deadlock, lock timeout, statement timeout (a server under load); P2034 is Prisma's name for the
// first two.
const CONFLICTS = new Set(['40001', '40P01', '55P03', '57014', 'P2034']);

/**
 * True when the database cannot be reached, is shutting down or starting up, or has no connection, memory or disk left:
 * the same work may succeed later, unchanged. Understands errors of pg, of its pool and of Prisma, also as `cause`.
 *
 * A socket error names no peer, so ask only about work that spoke to nothing but the database.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  return anyCause(error, (cause) => {
    const code = codeOf(cause);
    if (UNAVAILABLE_SQLSTATES.has(code) || SOCKET_ERRORS.has(code) || PRISMA_UNAVAILABLE.has(code)) return true;
    if (isSqlState(code)) return UNAVAILABLE_SQLSTATE_CLASSES.has(code.slice(0, 2));
    const { kind, message } = cause as { kind?: unknown; message?: unknown };
    if (typeof kind === 'string' && ADAPTER_UNAVAILABLE.has(kind)) return true;
    return typeof message === 'string' && UNAVAILABLE_MESSAGES.some((pattern) => pattern.test(message));
  });
}

/**
 * True when the transaction lost a race (serialization failure, deadlock, lock timeout) or a statement its time under
 * load: run it again from its start.
 */
export function isTransactionConflict(error: unknown): boolean {
  return anyCause(error, (cause) => CONFLICTS.has(codeOf(cause)));
}

// Deeper than any library wraps, and an end for a cause that is its own cause.
const MAX_DEPTH = 5;

function anyCause(error: unknown, matches: (cause: object) => boolean, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > MAX_DEPTH) return false;
  if (matches(error)) return true;
  const { cause, errors, meta } = error as {
    cause?: unknown;
    errors?: unknown;
    meta?: { driverAdapterError?: unknown };
  };
  // Connecting to a name with several addresses fails with all their errors at once.
  const attempts = Array.isArray(errors) ? errors : [];
  return [cause, meta?.driverAdapterError, ...attempts].some((inner) => anyCause(inner, matches, depth + 1));
}

function codeOf(error: object): string {
  const { code, originalCode } = error as { code?: unknown; originalCode?: unknown };
  if (typeof originalCode === 'string') return originalCode;
  return typeof code === 'string' ? code : '';
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code);
}
