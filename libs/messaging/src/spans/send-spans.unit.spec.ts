import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { SendSpans, type SentRow } from './send-spans.ts';

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

const row = (seq: string): SentRow => ({
  seq,
  topic: 'order.events.v1',
  key: '01980000-0000-7000-8000-000000000001',
  storedAt: new Date(Date.now() - 250),
});

describe('the span of a message that waits in the outbox', () => {
  const exporter = new InMemorySpanExporter();
  const finished = () => exporter.getFinishedSpans();

  beforeAll(() => {
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  });
  afterEach(() => exporter.reset());
  afterAll(() => trace.disable());

  it('lasts from its storing to the acknowledgement, and tells how long it waited and where it stands', () => {
    const spans = new SendSpans('order-relay');
    const headers = { traceparent: SAMPLED };
    spans.open(row('1'), headers);
    spans.answered([row('1')], [{ partition: 3, offset: 17 }]);
    const [span] = finished();
    expect(span?.attributes).toMatchObject({
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 17,
    });
    expect(span?.attributes['millrace.outbox.dwell_ms']).toBeGreaterThanOrEqual(250);
    expect(headers.traceparent).toContain(span?.spanContext().spanId);
  });

  it('is one however often Kafka did not take the message, under the same id', () => {
    const spans = new SendSpans('order-relay');
    const sent: string[] = [];
    const open = () => {
      const headers = { traceparent: SAMPLED };
      spans.open(row('1'), headers);
      sent.push(headers.traceparent);
    };
    open();
    spans.failed(new Error('no leader'));
    open();
    spans.answered([row('1')], [undefined]);
    open();
    spans.answered([row('1')], [{ partition: 0, offset: 0 }]);
    expect(new Set(sent).size).toBe(1);
    expect(finished().map(({ events }) => events.map(({ name }) => name))).toEqual([
      ['taken by the relay', 'not sent', 'not acknowledged'],
    ]);
  });

  it('ends as failed when another relay sends the message, and when this one stops', () => {
    const spans = new SendSpans('order-relay');
    for (const seq of ['1', '2']) spans.open(row(seq), { traceparent: SAMPLED });
    spans.failed(new Error('no leader'));
    spans.open(row('2'), { traceparent: SAMPLED });
    spans.failed(new Error('no leader'));
    expect(finished().map(({ attributes }) => attributes['error.type'])).toEqual(['left-to-another-relay']);
    spans.close();
    expect(finished()).toHaveLength(2);
  });

  it('does not exist for a message that is not recorded, whose context stays as it is', () => {
    const spans = new SendSpans('order-relay');
    const headers = { traceparent: UNSAMPLED };
    spans.open(row('1'), headers);
    spans.answered([row('1')], [{ partition: 0, offset: 0 }]);
    expect(finished()).toEqual([]);
    expect(headers.traceparent).toBe(UNSAMPLED);
  });

  it('tells nothing of a dead letter that was no message of ours', () => {
    const spans = new SendSpans('order-relay');
    const alien = { ...row('1'), key: 'ada@example.com' };
    spans.open(alien, { traceparent: SAMPLED, ce_id: 'ada@example.com', ce_type: 'from ada@example.com' });
    spans.answered([alien], [{ partition: 0, offset: 0 }]);
    expect(JSON.stringify(finished()[0]?.attributes)).not.toContain('ada');
  });
});
