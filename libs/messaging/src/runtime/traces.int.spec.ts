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
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
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
  /** Every span that was begun, recorded or not. */
  const begun: { readonly traceId: string; readonly name: string }[] = [];
  let bench: Workbench;

  beforeAll(async () => {
    const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() });
    const counting: Sampler = {
      shouldSample: (...span) => {
        begun.push({ traceId: span[1], name: span[2] });
        return sampler.shouldSample(...span);
      },
      toString: () => 'Counting',
    };
    const spanProcessors = [new SimpleSpanProcessor({ exporter })];
    trace.setGlobalTracerProvider(new TracerProvider({ sampler: counting, spanProcessors }));
    bench = await Workbench.open(
      [CASHIER, BOOKKEEPER],
      `${TALLY_TABLE}; CREATE TABLE books (order_id uuid PRIMARY KEY)`,
    );
    await bench.start({
      [CASHIER]: decides({
        hears: [CapturePayment],
        store: tallyStore,
        retry: { attempts: 2, firstDelayMs: 20 },
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
  /** The span that sent a dead letter, once that in which the message failed has ended: the relay may be quicker than its commit. */
  const letterSent = (traceId: string): Promise<ReadableSpan> =>
    until('it is sent', () => {
      const spans = spansOf(traceId);
      const send = spans.find(({ name }) => name === `send ${CASHIER}.dlq`);
      return spans.some((span) => span.spanContext().spanId === send?.parentSpanContext?.spanId) && send;
    });
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
      'CONSUMER process payment.commands.v1',
      'PRODUCER send payment.events.v1',
      'CONSUMER process payment.events.v1',
      'PRODUCER send payment.events.v1',
    ]);
    // What is on the wire names the span that sent it: whoever hears it goes on from there.
    const [firstSend] = spans.filter(({ kind }) => kind === SpanKind.PRODUCER);
    const lastSend = spans.find((span) => span.attributes['messaging.message.id'] === last['ce_id']);
    expect(last['traceparent']).toBe(`00-${traceId}-${lastSend?.spanContext().spanId}-01`);
    const process = spans.find(({ name }) => name === 'process payment.commands.v1');
    expect(process?.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.client.id': 'test',
      'messaging.consumer.group.name': CASHIER,
      'messaging.destination.name': 'payment.commands.v1',
      'messaging.destination.partition.id': expect.stringMatching(/^\d+$/),
      'messaging.kafka.offset': expect.any(Number),
      'messaging.message.id': headers.id,
      'messaging.message.conversation_id': orderId,
      'cloudevents.event_type': CapturePayment.wireType,
      'millrace.outcome': 'applied',
    });
    // Where it was written is known with Kafka's answer, and is where the next one found it.
    const [heard] = spans.filter((span) => span.parentSpanContext?.spanId === firstSend?.spanContext().spanId);
    expect(firstSend?.attributes).toMatchObject({
      'messaging.operation.name': 'send',
      'messaging.client.id': 'test-relay',
      'messaging.destination.partition.id': heard?.attributes['messaging.destination.partition.id'],
      'messaging.kafka.offset': heard?.attributes['messaging.kafka.offset'],
      'messaging.message.conversation_id': orderId,
      'millrace.outbox.dwell_ms': expect.any(Number),
    });
    expect(firstSend?.events.map(({ name }) => name)).toEqual(['taken by the relay']);
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
    const decide = spansOf(traceId).find(({ name }) => name === 'decide CapturePayment');
    expect(send.parentSpanContext?.spanId).toBe(decide?.spanContext().spanId);
    expect(decide?.parentSpanContext?.spanId).toBe(spanId);
  });

  it('shows a message that was delivered again as a duplicate that leads nowhere', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const record = recordFor(CapturePayment, { orderId }, { traceparent: traceparentOf(root) });
    await bench.topics.send([record]);
    await said(PaymentDeclined.wireType, orderId);
    await bench.topics.send([record]);
    const { traceId } = root.spanContext();
    const outcomes = await until('both are settled', () => {
      const found = spansOf(traceId).filter(({ name }) => name === 'process payment.commands.v1');
      return found.length === 2 && found;
    });
    expect(outcomes.map(({ attributes }) => attributes['millrace.outcome'])).toEqual(['applied', 'duplicate']);
    const duplicate = outcomes[1]?.spanContext().spanId;
    expect(spansOf(traceId).filter(({ parentSpanContext }) => parentSpanContext?.spanId === duplicate)).toEqual([]);
  });

  it('is linked to the transaction that served it together with others', async () => {
    const roots = Array.from({ length: 20 }, begin);
    for (const root of roots) root.end();
    await bench.topics.send(
      roots.map((root, index) =>
        // Every second one is not recorded, and costs the others nothing.
        recordFor(CapturePayment, { orderId: newId<OrderId>() }, { traceparent: traceparentOf(root, `0${index % 2}`) }),
      ),
    );
    const processed = await until('all are settled', () => {
      const found = roots
        .flatMap((root) => spansOf(root.spanContext().traceId))
        .filter(({ kind }) => kind === SpanKind.CONSUMER);
      return (
        found.filter(({ attributes }) => attributes['messaging.consumer.group.name'] === CASHIER).length === 10 && found
      );
    });
    const batches = exporter.getFinishedSpans().filter(({ name }) => name === `settle ${CASHIER}`);
    expect(batches.length).toBeGreaterThan(0);
    for (const batch of batches) {
      expect(batch.parentSpanContext).toBeUndefined();
      for (const { context } of batch.links) {
        const member = processed.find((span) => span.spanContext().spanId === context.spanId);
        expect(member?.links.map((link) => link.context.spanId)).toContain(batch.spanContext().spanId);
      }
    }
    expect(batches.flatMap(({ links }) => links).length).toBeGreaterThan(1);
  });

  it('costs an unsampled message no span, and is handed on as it is', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const traceparent = traceparentOf(root, '00');
    await bench.topics.send([recordFor(CapturePayment, { orderId }, { traceparent })]);
    expect((await said(PaymentDeclined.wireType, orderId))['traceparent']).toBe(traceparent);
    const { traceId } = root.spanContext();
    expect(begun.filter((span) => span.traceId === traceId)).toEqual([{ traceId, name: 'POST /orders' }]);
  });

  it('leads to the dead letter through every try, and tells that the handler failed', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const record = recordFor(CapturePayment, { orderId }, { traceparent: traceparentOf(root) });
    await bench.topics.send([{ ...record, headers: { ...record.headers, 'correlation-id': 'poison' } }]);
    const [letter] = await bench.letters(CASHIER, orderId);
    const { traceId } = root.spanContext();
    const send = await letterSent(traceId);
    const tries = spansOf(traceId).filter(({ name }) => name === 'process payment.commands.v1');
    expect(tries.map(({ attributes }) => [attributes['millrace.outcome'], attributes['error.type']])).toEqual([
      ['parked', 'TypeError'],
      ['dead-lettered', 'TypeError'],
    ]);
    for (const { parentSpanContext } of tries) expect(parentSpanContext?.spanId).toBe(root.spanContext().spanId);
    const process = tries.at(-1);
    expect(send.parentSpanContext?.spanId).toBe(process?.spanContext().spanId);
    // What was received stays as it was; the letter's own trace context names the span in which it failed.
    expect(letter?.headers).toMatchObject({
      traceparent: traceparentOf(root),
      'dlq-traceparent': `00-${traceId}-${process?.spanContext().spanId}-01`,
    });
    expect(process?.status.code).toBe(SpanStatusCode.ERROR);
    expect(process?.events.map(({ name }) => name)).toContain('exception');
    // The text of an error may quote what nobody should read in a trace.
    expect(JSON.stringify([process?.attributes, process?.events, process?.status])).not.toContain('nobody thought');
  });

  it('leads to the dead letter of what is no message, too', async () => {
    const root = begin();
    root.end();
    const orderId = newId<OrderId>();
    const record = recordFor(CapturePayment, { orderId }, { traceparent: traceparentOf(root) });
    await bench.topics.send([{ ...record, value: 'half a mess' }]);
    await bench.letters(CASHIER, orderId);
    const { traceId } = root.spanContext();
    const send = await letterSent(traceId);
    const process = spansOf(traceId).find((span) => span.spanContext().spanId === send.parentSpanContext?.spanId);
    expect(process?.attributes).toMatchObject({ 'millrace.outcome': 'dead-lettered', 'error.type': 'bad-json' });
  });
});
