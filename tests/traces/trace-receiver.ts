import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { decodeOtlp } from './otlp.ts';
import type { TraceSpan } from './span.ts';

/** What a collector does with what it is sent: takes it, refuses it with 503, or never answers. */
export type Mood = 'takes' | 'refuses' | 'hangs';

/** A collector for tests: OTLP over HTTP, spans in memory. Whoever started it closes it. */
export interface TraceReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  mood: Mood;
  /** Requests so far, whatever became of them. */
  readonly requests: number;
  /** Every span that was taken. */
  spans(): readonly TraceSpan[];
  /** Those of one trace. */
  trace(traceId: string): readonly TraceSpan[];
  close(): Promise<void>;
}

export async function startTraceReceiver(): Promise<TraceReceiver> {
  const spans: TraceSpan[] = [];
  const unanswered = new Set<ServerResponse>();
  let requests = 0;
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      requests += 1;
      if (receiver.mood === 'hangs') {
        unanswered.add(response);
        return;
      }
      if (receiver.mood === 'takes' && request.url === '/v1/traces') spans.push(...decodeOtlp(body));
      response.writeHead(receiver.mood === 'takes' ? 200 : 503, { 'content-type': 'application/x-protobuf' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver: TraceReceiver = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mood: 'takes',
    get requests() {
      return requests;
    },
    spans: () => spans,
    trace: (traceId) => spans.filter((span) => span.traceId === traceId),
    async close() {
      server.close();
      for (const response of unanswered) response.destroy();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return receiver;
}
