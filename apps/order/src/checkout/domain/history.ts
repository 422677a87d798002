import type { AnyMessage, Said } from '@millrace/contracts';

/** One decision as it is remembered: what led to it, and what was said then. */
export interface HistoryEntry {
  readonly type: string;
  /** The service that said it; for a local message (an accepted order, a wish, a deadline) the order service itself. */
  readonly service: string;
  readonly id: string;
  readonly direction: 'heard' | 'local';
  /** When it was said, as RFC 3339 in UTC. */
  readonly at: string;
  /** When the order service decided about it, as RFC 3339 in UTC; what it then said has the same time. */
  readonly decidedAt: string;
  /** The types of what was said, in order. */
  readonly said: readonly string[];
}

/** What is remembered of one decision. */
export function entryOf(message: AnyMessage, said: readonly Said[], now: Date): HistoryEntry {
  return {
    type: message.type,
    service: message.source,
    id: message.id,
    direction: LOCAL_TYPES.has(message.type) ? 'local' : 'heard',
    at: message.time.toISOString(),
    decidedAt: now.toISOString(),
    said: said.map(({ contract }) => contract.type),
  };
}

const LOCAL_TYPES: ReadonlySet<string> = new Set(['OrderAccepted', 'CancellationRequested', 'DeadlineExpired']);

/**
 * The text that is appended to an order's history. One short line per decision, because every step of the order writes the
 * whole row again, and a row beyond 2 kB would be moved out of its page.
 */
export function historyText(entries: readonly HistoryEntry[]): string {
  return entries
    .map(
      ({ type, service, id, at, decidedAt, said }) =>
        [type, service, id, Date.parse(at), Date.parse(decidedAt), said.join(',')].join(' ') + '\n',
    )
    .join('');
}

/** Reads what `historyText` wrote, in the order of the decisions. */
export function parseHistory(text: string): HistoryEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [type = '', service = '', id = '', at, decidedAt, said = ''] = line.split(' ');
      return {
        type,
        service,
        id,
        direction: LOCAL_TYPES.has(type) ? 'local' : 'heard',
        at: new Date(Number(at)).toISOString(),
        decidedAt: new Date(Number(decidedAt)).toISOString(),
        said: said === '' ? [] : said.split(','),
      };
    });
}
