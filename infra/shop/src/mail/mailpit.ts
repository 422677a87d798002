import type { Arrivals, Mailbox } from '../running-shop.ts';

/** The part of Mailpit's answers that is read. Newest mails come first. */
interface Page {
  readonly messages: readonly { readonly ID: string; readonly MessageID: string; readonly Created: string }[];
}

interface Info {
  /** Since Mailpit was started; other programs that speak its API may leave them out. */
  readonly RuntimeStats?: { readonly Uptime?: number; readonly MessagesDeleted?: number };
}

export interface MailpitOptions {
  /** Where its HTTP API is, without a slash at the end. */
  readonly url: string;
  readonly pageSize?: number;
  /** More mails than the newest so many are not looked at. */
  readonly maxMails?: number;
}

const PAGE_SIZE = 500;

// At 500 bytes of summary per mail this is 10 MB to read.
const MAX_MAILS = 20_000;

// A mail is noted after it arrived, and under load a while after: of the mails noted in the first minute of what Mailpit
// still has, some may have arrived before it.
const NOTED_WITHIN_MS = 60_000;

const TIMEOUT_MS = 10_000;

/** The mails in a Mailpit. It keeps the newest only, and none when it is started again: `since` moves accordingly. */
export function mailpit({ url, pageSize = PAGE_SIZE, maxMails = MAX_MAILS }: MailpitOptions): Mailbox {
  async function get<T>(path: string): Promise<T> {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`Mailpit answered ${response.status} to GET ${path}.`);
    return (await response.json()) as T;
  }

  async function arrivals(): Promise<Arrivals> {
    const askedAt = Date.now();
    const { RuntimeStats: { Uptime, MessagesDeleted } = {} } = await get<Info>('/api/v1/info');
    // A mail that arrives between two pages moves those before it to the next page: each is counted by its ID.
    const mails = new Map<string, Page['messages'][number]>();
    let isAll = false;
    for (let start = 0; !isAll && mails.size < maxMails; start += pageSize) {
      const { messages } = await get<Page>(`/api/v1/messages?limit=${pageSize}&start=${start}`);
      for (const mail of messages) mails.set(mail.ID, mail);
      isAll = messages.length < pageSize;
    }
    const byMessageId = new Map<string, number>();
    for (const { MessageID } of mails.values()) {
      const id = `<${MessageID}>`;
      byMessageId.set(id, (byMessageId.get(id) ?? 0) + 1);
    }
    const isEverythingThere = isAll && MessagesDeleted === 0;
    const startedAt = Uptime === undefined ? 0 : askedAt - Uptime * 1000;
    const oldest = Math.min(askedAt, ...[...mails.values()].map(({ Created }) => Date.parse(Created)));
    const since = isEverythingThere ? startedAt : Math.max(startedAt, oldest) + NOTED_WITHIN_MS;
    return { since: new Date(since), byMessageId };
  }

  return { arrivals };
}
