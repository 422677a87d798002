import { catalogue } from '@millrace/contracts';
import type { HistoryEntry } from '../../checkout/domain/history.ts';

/** One message of an order's life. */
export interface TimelineEntry {
  /** When it was said, as RFC 3339 in UTC, by the clock of the service that said it. */
  readonly at: string;
  /** Who said it. */
  readonly service: string;
  readonly type: string;
  /** A request comes from a person, a deadline from the clock; the rest went through Kafka. */
  readonly kind: 'event' | 'command' | 'request' | 'deadline';
  /** As the order service sees it. */
  readonly direction: 'said' | 'heard';
  /** What a notification was about, such as `order-confirmed`. */
  readonly about?: string;
  readonly sinceStartMs: number;
  /** How long this step took: the time since the entry before it. */
  readonly sinceLastMs: number;
}

/** What the customer was told, as the order service heard of it. */
export interface NotificationHeard {
  readonly type: string;
  readonly kind: string;
  readonly at: Date;
}

type Untimed = Omit<TimelineEntry, 'sinceStartMs' | 'sinceLastMs'>;

const COMMANDS: ReadonlySet<string> = new Set(
  catalogue.filter(({ topic }) => topic.name.includes('.commands.')).map(({ type }) => type),
);

/**
 * Every message that the order service heard and said about one order, in order of time; messages of the same millisecond
 * in the order in which they were decided about. `service` is the name of the order service itself.
 */
export function timelineOf(
  service: string,
  history: readonly HistoryEntry[],
  notifications: readonly NotificationHeard[],
): readonly TimelineEntry[] {
  const entries: Untimed[] = [
    ...history.flatMap((entry) => [heard(entry), ...said(service, entry)]),
    ...notifications.map(({ type, kind, at }): Untimed => ({
      at: at.toISOString(),
      service: 'notification',
      type,
      kind: 'event',
      direction: 'heard',
      about: kind,
    })),
  ].toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
  const startMs = Date.parse(entries[0]?.at ?? '');
  return entries.map((entry, index) => ({
    ...entry,
    sinceStartMs: Date.parse(entry.at) - startMs,
    sinceLastMs: Date.parse(entry.at) - Date.parse(entries[index - 1]?.at ?? entry.at),
  }));
}

function heard({ at, service, type, direction }: HistoryEntry): Untimed {
  if (direction === 'heard') return { at, service, type, kind: 'event', direction: 'heard' };
  return { at, service, type, kind: type === 'DeadlineExpired' ? 'deadline' : 'request', direction: 'heard' };
}

function said(service: string, { decidedAt, said: types }: HistoryEntry): Untimed[] {
  return types.map((type) => ({
    at: decidedAt,
    service,
    type,
    kind: COMMANDS.has(type) ? 'command' : 'event',
    direction: 'said',
  }));
}
