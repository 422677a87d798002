import { describe, expect, it } from '@jest/globals';
import { findingsOf } from './edges.ts';
import { type JaegerAnswer, spansOfJaeger } from './jaeger.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

/** As Jaeger 2 answers, shortened. */
const answer: JaegerAnswer = {
  data: [
    {
      spans: [
        {
          traceID: TRACE_ID,
          spanID: 'b7ad6b7169203331',
          operationName: 'POST /orders',
          references: [],
          startTime: 1_795_000_000_000_500,
          duration: 2_500,
          tags: [
            { key: 'span.kind', type: 'string', value: 'server' },
            { key: 'http.response.status_code', type: 'int64', value: 202 },
          ],
          logs: [],
          processID: 'p1',
        },
        {
          traceID: TRACE_ID,
          spanID: '00f067aa0ba902b7',
          operationName: 'send order.events.v1',
          references: [
            { refType: 'CHILD_OF', traceID: TRACE_ID, spanID: 'b7ad6b7169203331' },
            { refType: 'FOLLOWS_FROM', traceID: 'c'.repeat(32), spanID: 'd'.repeat(16) },
          ],
          startTime: 1_795_000_000_001_000,
          duration: 40_000,
          tags: [
            { key: 'span.kind', type: 'string', value: 'producer' },
            { key: 'cloudevents.event_type', type: 'string', value: 'millrace.OrderPlaced.v1' },
            { key: 'messaging.kafka.offset', type: 'int64', value: '17' },
            { key: 'error', type: 'bool', value: true },
          ],
          logs: [{ fields: [{ key: 'event', type: 'string', value: 'taken by the relay' }] }],
          processID: 'p1',
        },
      ],
      processes: { p1: { serviceName: 'order', tags: [{ key: 'service.instance.id', type: 'string', value: 'one' }] } },
    },
  ],
};

describe('the answer of Jaeger', () => {
  it('is read as the spans that were sent', () => {
    const [request, send] = spansOfJaeger(answer);
    expect(request).toMatchObject({ service: 'order', instance: 'one', name: 'POST /orders', kind: 'server' });
    expect(request).not.toHaveProperty('parentId');
    expect(send).toMatchObject({
      traceId: TRACE_ID,
      parentId: 'b7ad6b7169203331',
      kind: 'producer',
      startMs: 1_795_000_000_001,
      endMs: 1_795_000_000_041,
      isError: true,
      attributes: { 'messaging.kafka.offset': 17 },
      events: [{ name: 'taken by the relay', attributes: {} }],
      links: [{ traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) }],
    });
  });

  it('has edges that are compared with the story of an order', () => {
    const edge = 'order: POST /orders → order: send order.events.v1 OrderPlaced';
    expect(findingsOf(spansOfJaeger(answer), [{ always: [edge], oneOf: [] }])).toEqual([]);
  });

  it('may know nothing of a trace', () => {
    expect(spansOfJaeger({ data: null })).toEqual([]);
  });
});
