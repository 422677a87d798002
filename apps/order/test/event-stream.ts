export interface StreamEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventStream {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | null;
  /** The next event; nothing when the stream has ended. */
  next(): Promise<StreamEvent | undefined>;
  hangUp(): void;
}

/** Reads server-sent events as a browser does, without its reconnecting. */
export async function openStream(url: string, lastEventId?: string): Promise<EventStream> {
  const aborter = new AbortController();
  const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await fetch(url, { headers, signal: aborter.signal });
  // Read from at once: a body that nobody reads is cancelled when its response is garbage-collected, however long it is held.
  const events = eventsOf(response.body?.pipeThrough(new TextDecoderStream()));
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    retryAfter: response.headers.get('retry-after'),
    next: async () => {
      const { value } = await events.next();
      return value;
    },
    hangUp: () => aborter.abort(),
  };
}

async function* eventsOf(body: ReadableStream<string> | undefined): AsyncGenerator<StreamEvent, undefined> {
  if (body === undefined) return undefined;
  let text = '';
  for await (const chunk of body) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => splitOnce(line)));
      const data = fields.get('data');
      if (data === undefined) continue;
      yield {
        id: fields.get('id') ?? '',
        event: fields.get('event') ?? '',
        data: JSON.parse(data) as Record<string, unknown>,
      };
    }
  }
  return undefined;
}

function splitOnce(line: string): [name: string, value: string] {
  const end = line.indexOf(': ');
  return end === -1 ? [line, ''] : [line.slice(0, end), line.slice(end + 2)];
}
