import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CapturePayment,
  type MessageOf,
  newId,
  type OrderId,
  PaymentCaptured,
  PaymentDeclined,
} from '@millrace/contracts';
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { recordFor, tally, TALLY_TABLE, tallyStore, Workbench } from '../fixtures/index.ts';
import { decides } from '../handlers/handler.ts';
import { keyedStore } from '../handlers/state-store.ts';
import { heard } from '../testing/given.ts';
import { until } from '../testing/until.ts';
import { LocalTransactions } from './local-transactions.ts';

const CASHIER = 'test.cashier';
const BOOKKEEPER = 'test.bookkeeper';

describe('a trace', () => {
  const exporter = new InMemorySpanExporter();
  let bench: Workbench;

  beforeAll(async () => {
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    bench = await Workbench.open(
      [CASHIER, BOOKKEEPER],
      `${TALLY_TABLE}; CREATE TABLE books (order_id uuid PRIMARY KEY)`,
    );
    await bench.start({
      [CASHIER]: decides({
        hears: [CapturePayment],
        store: tallyStore,
        decide: (state, message, context) => {
          if (message.correlationId === 'poison') throw new TypeError('nobody thought of this');
          return tally(state, message, context);
        },
      }),
      // Books in a table of its own what the cashier said, and says so.
      [BOOKKEEPER]: decides({
        hears: [PaymentCaptured],
        store: keyedStore<{ orderId: OrderId }, MessageOf<typeof PaymentCaptured>>({
          load: () => Promise.resolve(new Map()),
          save: async (tx, changes) => {
            await tx.query('INSERT INTO books SELECT unnest($1::uuid[])', [changes.map(({ key }) => key)]);
          },
        }),
        decide: (_state, { body }) => ({
          state: { orderId: body.orderId },
          messages: [PaymentDeclined({ orderId: body.orderId, reason: 'payment-voided' })],
        }),
      }),
    });
  });
  afterEach(() => {
    exporter.reset();
  });
  afterAll(async () => {
    await bench.close();
    trace.disable();
  });

  const begin = (): Span => trace.getTracer('test').startSpan('POST /orders');
  const traceparentOf = (span: Span, flags = '01'): string => {
    const { traceId, spanId } = span.spanContext();
    return `00-${traceId}-${spanId}-${flags}`;
  };
  const spansOf = (traceId: string): readonly ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  const said = (type: string, key: string): Promise<Readonly<Record<string, string>>> =>
    until(`${type} is said`, async () => {
      const read = await bench.topics.read('payment.events.v1');
      return read.find((record) => record.key === key && record.headers['ce_type'] === type)?.headers;
    });

  it('follows a message through outbox, topic and handler, and what that said through the next', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const headers = recordFor(CapturePayment, { orderId }, { traceparent: traceparentOf(root) });
    await bench.topics.send([headers]);
    const last = await said(PaymentDeclined.wireType, orderId);
    const { traceId } = root.spanContext();
    const spans = await until('five spans are finished', () => spansOf(traceId).length >= 5 && spansOf(traceId));
    const chain: string[] = [];
    for (let parent: string | undefined; ;) {
      const next = spans.filter((span) => span.parentSpanContext?.spanId === parent);
      if (next.length === 0) break;
      expect(next).toHaveLength(1);
      chain.push(`${SpanKind[next[0]?.kind ?? 0]} ${next[0]?.name}`);
      parent = next[0]?.spanContext().spanId;
    }
    expect(chain).toEqual([
      'INTERNAL POST /orders',
      'CONSUMER process CapturePayment',
      'PRODUCER send payment.events.v1',
      'CONSUMER process PaymentCaptured',
      'PRODUCER send payment.events.v1',
    ]);
    // What is on the wire names the span that sent it: whoever hears it goes on from there.
    const lastSend = spans.find((span) => span.attributes['messaging.message.id'] === last['ce_id']);
    expect(last['traceparent']).toBe(`00-${traceId}-${lastSend?.spanContext().spanId}-01`);
    const process = spans.find(({ name }) => name === 'process CapturePayment');
    expect(process?.attributes).toMatchObject({
      'messaging.system': 'kafka',
      'messaging.consumer.group.name': CASHIER,
      'messaging.destination.name': 'payment.commands.v1',
      'messaging.message.id': headers.id,
    });
  });

  it('goes on from a local message, such as a request', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const local = (await bench.start({})).get(LocalTransactions);
    const message = { ...heard(CapturePayment, { orderId }), traceparent: traceparentOf(root) };
    await local.run(({ decide }) => decide({ store: tallyStore, decide: tally }, [message]));
    await said(PaymentCaptured.wireType, orderId);
    const { traceId, spanId } = root.spanContext();
    const send = await until('it is sent', () => spansOf(traceId).find(({ name }) => name.startsWith('send')));
    expect(send.parentSpanContext?.spanId).toBe(spanId);
  });

  it('costs an unsampled message no span, and is handed on as it is', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const traceparent = traceparentOf(root, '00');
    await bench.topics.send([recordFor(CapturePayment, { orderId }, { traceparent })]);
    expect((await said(PaymentDeclined.wireType, orderId))['traceparent']).toBe(traceparent);
    expect(spansOf(root.spanContext().traceId)).toHaveLength(1);
  });

  it('leads to the dead letter, and tells that the handler failed', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const record = recordFor(CapturePayment, { orderId }, { traceparent: traceparentOf(root) });
    await bench.topics.send([{ ...record, headers: { ...record.headers, 'correlation-id': 'poison' } }]);
    const [letter] = await bench.letters(CASHIER, orderId);
    const { traceId } = root.spanContext();
    const send = spansOf(traceId).find(({ name }) => name === `send ${CASHIER}.dlq`);
    expect(letter?.headers['traceparent']).toBe(`00-${traceId}-${send?.spanContext().spanId}-01`);
    const process = spansOf(traceId).find(({ name }) => name === 'process CapturePayment');
    expect(process?.status.code).toBe(SpanStatusCode.ERROR);
    expect(process?.events.map(({ name }) => name)).toContain('exception');
  });
});
