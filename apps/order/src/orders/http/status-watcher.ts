import type { OrderId } from '@millrace/contracts';
import type { Logger } from '@millrace/observability';
import type { StatusNews } from '../store/status-reader.ts';

/** Someone who wants to know about an order, and the last version they have seen. */
interface Watch {
  readonly orderId: OrderId;
  seenVersion: number;
  readonly tell: (news: StatusNews) => void;
}

// Quick for a person who looks at a screen, cheap for the database: ten statements a second whoever watches.
const POLL_MS = 100;

// While the database is away there is nothing to see, and it needs its strength to come back.
const OUTAGE_POLL_MS = 1_000;

/**
 * Looks for all watched orders at once, and only while someone watches. It reads what was committed, so it sees what any
 * replica did. Watches survive an outage of the database: they hear later what they missed.
 */
export class StatusWatcher {
  readonly #findNews: (seen: ReadonlyMap<OrderId, number>) => Promise<readonly StatusNews[]>;
  readonly #logger: Logger;
  readonly #watches = new Set<Watch>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isAway = false;

  constructor(findNews: (seen: ReadonlyMap<OrderId, number>) => Promise<readonly StatusNews[]>, logger: Logger) {
    this.#findNews = findNews;
    this.#logger = logger;
  }

  /** Tells of every version after `seenVersion`, each once, in order; returns what ends the watch. */
  watch(orderId: OrderId, seenVersion: number, tell: (news: StatusNews) => void): () => void {
    const watch: Watch = { orderId, seenVersion, tell };
    this.#watches.add(watch);
    this.#lookLater();
    return () => {
      this.#watches.delete(watch);
      if (this.#watches.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  #lookLater(): void {
    if (this.#watches.size === 0 || this.#isLooking || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#look(), this.#isAway ? OUTAGE_POLL_MS : POLL_MS);
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#isLooking = true;
    try {
      for (const news of await this.#findNews(this.#seen())) this.#tell(news);
      this.#isAway = false;
    } catch (err) {
      if (!this.#isAway)
        this.#logger.warn({ err }, 'cannot look for news of watched orders; looking again every second');
      this.#isAway = true;
    }
    this.#isLooking = false;
    this.#lookLater();
  }

  #seen(): ReadonlyMap<OrderId, number> {
    const seen = new Map<OrderId, number>();
    for (const { orderId, seenVersion } of this.#watches) {
      seen.set(orderId, Math.min(seenVersion, seen.get(orderId) ?? seenVersion));
    }
    return seen;
  }

  #tell(news: StatusNews): void {
    for (const watch of this.#watches) {
      if (watch.orderId !== news.orderId) continue;
      const changes = news.changes.filter(({ version }) => version > watch.seenVersion);
      const last = changes.at(-1);
      if (last === undefined) continue;
      watch.seenVersion = last.version;
      watch.tell({ ...news, changes });
    }
  }
}
