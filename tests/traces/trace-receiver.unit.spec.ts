import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTracing, type Tracing } from '@millrace/observability';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { until } from '@millrace/messaging/testing';
import { startTraceReceiver, type TraceReceiver } from './trace-receiver.ts';

describe('what a service tells a collector', () => {
  let receiver: TraceReceiver;
  let tracing: Tracing;
  let told: string[];

  beforeEach(async () => {
    receiver = await startTraceReceiver();
    told = [];
    const tell = (message: string) => told.push(message);
    tracing = startTracing({
      service: 'order',
      otlpEndpoint: receiver.endpoint,
      sampleRatio: 1,
      warn: tell,
      info: tell,
    });
  });
  afterEach(async () => {
    await tracing.shutdown();
    await receiver.close();
  });

  const finishSpans = (count: number): void => {
    const tracer = trace.getTracer('test');
    for (let index = 0; index < count; index++) tracer.startSpan('work', { attributes: { index } }).end();
  };

  it('arrives as it was meant', async () => {
    const tracer = trace.getTracer('test');
    const other = tracer.startSpan('other');
    const span = tracer.startSpan('send order.events.v1', {
      kind: SpanKind.PRODUCER,
      startTime: new Date('2026-11-22T12:00:00.250Z'),
      attributes: { text: 'a', truth: true, whole: -7, half: 0.5 },
      links: [{ context: other.spanContext() }],
    });
    span.addEvent('taken', { afterMs: 3 });
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(new Date('2026-11-22T12:00:01.500Z'));
    await tracing.shutdown();
    expect(receiver.trace(span.spanContext().traceId)).toEqual([
      {
        traceId: span.spanContext().traceId,
        spanId: span.spanContext().spanId,
        service: 'order',
        instance: expect.any(String),
        name: 'send order.events.v1',
        kind: 'producer',
        startMs: Date.parse('2026-11-22T12:00:00.250Z'),
        endMs: Date.parse('2026-11-22T12:00:01.500Z'),
        isError: true,
        attributes: { text: 'a', truth: true, whole: -7, half: 0.5 },
        events: [{ name: 'taken', attributes: { afterMs: 3 } }],
        links: [{ traceId: other.spanContext().traceId, spanId: other.spanContext().spanId }],
      },
    ]);
  });

  it.each(['refuses', 'hangs'] as const)(
    'is bounded while the collector %s: what is too much is dropped, and it is told once, as is the end of it',
    async (mood) => {
      receiver.mood = mood;
      // Six times what may wait, while the collector is asked again and again.
      for (let round = 0; round < 6; round++) {
        const before = receiver.requests;
        finishSpans(8_192);
        await until('the collector was asked', () => receiver.requests > before);
      }
      await until('the outage is told', () => told.length > 0);
      receiver.mood = 'takes';
      await until('it is over', () => {
        finishSpans(1);
        return told.length > 1;
      });
      await tracing.shutdown();
      expect(told).toEqual([expect.stringContaining('takes no spans'), expect.stringContaining('takes spans again')]);
      expect(receiver.spans().length).toBeLessThan(2 * 8_192);
    },
  );
});
