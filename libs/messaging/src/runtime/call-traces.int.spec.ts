import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CapturePayment, type MessageOf, newId, type OrderId, PaymentCaptured } from '@millrace/contracts';
import { noteOnSpan } from '@millrace/observability';
import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { recordFor, tally, tallyStore, Workbench } from '../fixtures/index.ts';
import { PermanentFailure, Unavailable } from '../handlers/failures.ts';
import { type Call, performs } from '../handlers/handler.ts';
import { until } from '../testing/until.ts';

const CASHIER = 'test.cashier';

type Capture = MessageOf<typeof CapturePayment>;

describe('the trace of a message for which somebody outside is called', () => {
  const exporter = new InMemorySpanExporter();
  const stories = new Map<string, (call: Call) => Promise<unknown>>();
  let bench: Workbench;

  beforeAll(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    bench = await Workbench.open([CASHIER]);
    await bench.start({
      [CASHIER]: performs({
        hears: [CapturePayment],
        store: tallyStore,
        retry: { firstDelayMs: 20 },
        callName: (_state, { key }) => (stories.has(key) ? 'payment-provider capture' : undefined),
        perform: async (_state, { key }: Capture, call) => stories.get(key)?.(call),
        decide: (state, message, _outcome, decision) => tally(state, message, decision),
      }),
    });
  });
  afterEach(() => exporter.reset());
  afterAll(async () => {
    await bench.close();
    trace.disable();
    context.disable();
  });

  /** Sends one message in a trace of its own, and resolves with the spans of that trace once the message is settled. */
  const played = async (story?: (call: Call) => Promise<unknown>): Promise<readonly ReadableSpan[]> => {
    const root: Span = trace.getTracer('test').startSpan('POST /orders');
    root.end();
    const { traceId, spanId } = root.spanContext();
    const orderId = newId<OrderId>();
    if (story) stories.set(orderId, story);
    await bench.topics.send([recordFor(CapturePayment, { orderId }, { traceparent: `00-${traceId}-${spanId}-01` })]);
    const spans = () => exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
    // What was said is sent last: an answer, or the dead letter.
    await until('its answer is sent', () => spans().some(({ kind }) => kind === SpanKind.PRODUCER));
    // A relay may find it before the handler hears of its own commit.
    await until('each span has its parent', () => {
      const ids = new Set([undefined, ...spans().map((span) => span.spanContext().spanId)]);
      return spans().every(({ parentSpanContext }) => ids.has(parentSpanContext?.spanId));
    });
    return spans();
  };
  const processOf = (spans: readonly ReadableSpan[]): ReadableSpan => {
    const found = spans.find(({ kind }) => kind === SpanKind.CONSUMER);
    if (found === undefined) throw new Error('there is no process span');
    return found;
  };
  const callsOf = (spans: readonly ReadableSpan[]): readonly ReadableSpan[] =>
    spans.filter(({ kind }) => kind === SpanKind.CLIENT);

  it('shows each try as a span of its own, from the beginning of the work to its end', async () => {
    const spans = await played(async ({ attempt }) => {
      if (attempt === 1) throw new Error('550 ada@example.com is unknown');
      noteOnSpan('money taken');
    });
    const tries = spans.filter(({ kind }) => kind === SpanKind.CONSUMER);
    const calls = callsOf(spans);
    expect(calls.map(({ name, attributes }) => [name, attributes['millrace.try']])).toEqual([
      ['payment-provider capture', 1],
      ['payment-provider capture', 2],
    ]);
    expect(calls.map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.UNSET]);
    for (const [index, call] of calls.entries()) {
      const process = tries[index];
      expect(call.parentSpanContext?.spanId).toBe(process?.spanContext().spanId);
      expect(inMs(call.startTime)).toBeGreaterThanOrEqual(inMs(process?.startTime ?? [0, 0]));
      expect(inMs(call.endTime)).toBeLessThanOrEqual(inMs(process?.endTime ?? [0, 0]));
    }
    expect(calls[1]?.events.map(({ name }) => name)).toEqual(['money taken']);
    expect(tries.map(({ attributes }) => attributes['millrace.outcome'])).toEqual(['parked', 'applied']);
    expect(tries[0]?.events.map(({ name }) => name)).toContain('waits for the next try');
    const said = spans.find(({ kind }) => kind === SpanKind.PRODUCER);
    expect(said?.attributes['cloudevents.event_type']).toBe(PaymentCaptured.wireType);
    expect(said?.parentSpanContext?.spanId).toBe(tries[1]?.spanContext().spanId);
    expect(JSON.stringify(spans.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
      'ada@example.com',
    );
  });

  it('shows an outage of the other side as tries that failed, and goes on', async () => {
    let away = 2;
    const spans = await played(async () => {
      if (away-- > 0) throw new Unavailable('nobody is there');
    });
    const types = callsOf(spans).map(({ attributes }) => attributes['error.type']);
    expect(types).toEqual(['Unavailable', 'Unavailable', undefined]);
  });

  it('shows a call that was given up as a failed message and its dead letter', async () => {
    const spans = await played(async () => {
      throw new PermanentFailure('card-unknown', 'no such card: 4242');
    });
    const process = processOf(spans);
    expect(process.attributes).toMatchObject({ 'millrace.outcome': 'dead-lettered', 'error.type': 'card-unknown' });
    const [letter] = spans.filter(({ kind }) => kind === SpanKind.PRODUCER);
    expect(letter?.name).toBe(`send ${CASHIER}.dlq`);
    expect(letter?.parentSpanContext?.spanId).toBe(process.spanContext().spanId);
  });

  it('shows no call where nobody needs to be called', async () => {
    expect(callsOf(await played())).toEqual([]);
  });
});

function inMs([seconds, nanos]: readonly [number, number]): number {
  return seconds * 1000 + nanos / 1e6;
}
