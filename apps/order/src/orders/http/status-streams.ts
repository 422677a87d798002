import type { ServerResponse } from 'node:http';
import type { OrderId } from '@millrace/contracts';
import type { Health, Metrics } from '@millrace/observability';
import { hasEnded } from '../../checkout/domain/order.ts';
import type { StatusNews } from '../store/status-reader.ts';
import type { StatusWatcher } from './status-watcher.ts';

// Proxies cut connections that are silent for half a minute or more.
const HEARTBEAT_MS = 15_000;

// An order has six statuses, a few hundred bytes each: who lets this much pile up is not reading.
const MAX_UNREAD_BYTES = 64 * 1024;

/**
 * The open event streams of this process, at most `maxStreams`. A stream ends with its order, with its caller, or when the
 * process stops; a caller who comes back with the id of the last event misses nothing.
 */
export class StatusStreams {
  readonly #watcher: StatusWatcher;
  readonly #maxStreams: number;
  readonly #draining: AbortSignal;
  readonly #open = new Set<() => void>();

  constructor(watcher: StatusWatcher, health: Health, metrics: Metrics, maxStreams: number) {
    this.#watcher = watcher;
    this.#maxStreams = maxStreams;
    this.#draining = health.draining;
    metrics.gauge({
      name: 'order_streams_open',
      help: 'Event streams of order statuses that callers hold open',
      collect: (gauge) => gauge.set(this.#open.size),
    });
    this.#draining.addEventListener('abort', () => this.#endAll(), { once: true });
  }

  /** False when there are as many streams as there may be, or the process is about to stop. */
  get hasRoom(): boolean {
    return this.#open.size < this.#maxStreams && !this.#draining.aborted;
  }

  /** Writes `news`, then what follows, until the end. Owns the response from now on. */
  open(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    news: StatusNews,
    seenVersion: number,
  ): void {
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Asks nginx not to collect events before it passes them on.
      'x-accel-buffering': 'no',
    });
    const latest = news.changes.at(-1)?.version ?? seenVersion;
    const stopWatching = this.#watcher.watch(news.orderId, latest, (more) => tell(more));
    const heartbeat = setInterval(() => write(': the order has not changed\n\n'), HEARTBEAT_MS);
    const close = (): void => {
      clearInterval(heartbeat);
      stopWatching();
      this.#open.delete(close);
      response.end();
    };
    const write = (text: string): void => {
      if (!this.#open.has(close)) return;
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(text);
    };
    const tell = ({ orderId, changes, reason }: StatusNews): void => {
      for (const change of changes) {
        write(eventOf(orderId, change, reason));
        if (hasEnded(change.status)) close();
      }
    };
    this.#open.add(close);
    response.once('close', close);
    write('retry: 1000\n\n');
    tell({ ...news, changes: news.changes.filter(({ version }) => version > seenVersion) });
  }

  #endAll(): void {
    for (const close of this.#open) close();
  }
}

/** One server-sent event; its id is the order's version. */
function eventOf(
  orderId: OrderId,
  { status, version, at }: StatusNews['changes'][number],
  reason: string | null,
): string {
  const isGivenUp = status === 'cancelling' || status === 'cancelled';
  const data = { orderId, status, version, at, ...(isGivenUp && reason !== null ? { reason } : {}) };
  return `id: ${version}\nevent: status\ndata: ${JSON.stringify(data)}\n\n`;
}
