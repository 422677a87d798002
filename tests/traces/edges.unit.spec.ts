import { describe, expect, it } from '@jest/globals';
import { findingsOf } from './edges.ts';
import { secretsIn } from './secrets.ts';
import type { Attributes, TraceSpan } from './span.ts';
import { outOfStock } from './stories.ts';

const TRACE_ID = 'a'.repeat(32);

/** A trace with exactly the edges of a story: each span is found by its label. */
function played(edges: readonly string[]): Map<string, TraceSpan> {
  const spans = new Map<string, TraceSpan>();
  const spanOf = (label: string, parentId?: string): TraceSpan => {
    const [, service = '', name = '', type] = /^(\w+): (\w+ \S+)(?: (\w+))?$/.exec(label) ?? [];
    const isMessage = type !== undefined;
    return {
      traceId: TRACE_ID,
      spanId: String(spans.size + 1).padStart(16, '0'),
      ...(parentId === undefined ? {} : { parentId }),
      service,
      instance: `${service}-1`,
      name,
      kind: 'internal',
      startMs: 0,
      endMs: 1,
      isError: false,
      attributes: isMessage ? { 'cloudevents.event_type': `millrace.${type}.v1` } : {},
      events: [],
      links: [],
    };
  };
  const parentOf = new Map(edges.map((edge) => edge.split(' → ')).map(([parent = '', child = '']) => [child, parent]));
  const add = (label: string): TraceSpan => {
    const known = spans.get(label);
    if (known) return known;
    const parent = parentOf.get(label);
    const span = spanOf(label, parent === undefined ? undefined : add(parent).spanId);
    spans.set(label, { ...span, spanId: String(spans.size + 1).padStart(16, '0') });
    return spans.get(label) ?? span;
  };
  for (const edge of edges) add(edge.split(' → ')[1] ?? '');
  return spans;
}

function changed(label: string, change: Partial<TraceSpan>): readonly TraceSpan[] {
  return [...played(outOfStock.always)].map(([each, span]) => (each === label ? { ...span, ...change } : span));
}

describe('the check of a trace', () => {
  const HEARD = 'order: process inventory.events.v1 StockRejected';

  it('finds nothing in a trace that has every edge of its story', () => {
    expect(findingsOf([...played(outOfStock.always).values()], [outOfStock])).toEqual([]);
  });

  it('finds a link that is broken: a span that begins a trace of its own', () => {
    const { parentId: _, ...root } = played(outOfStock.always).get(HEARD) ?? ({} as TraceSpan);
    const spans = [...played(outOfStock.always)].map(([label, span]) => (label === HEARD ? root : span));
    expect(findingsOf(spans, [outOfStock])).toEqual([
      `there are 2 roots: order: POST /orders, ${HEARD}`,
      `missing: inventory: send inventory.events.v1 StockRejected → ${HEARD}`,
    ]);
  });

  it('finds a span whose parent nobody knows, one with another parent, and one that is too much', () => {
    expect(findingsOf(changed(HEARD, { parentId: 'f'.repeat(16) }), [outOfStock])).toContain(
      `nobody knows the parent of "${HEARD}"`,
    );
    const root = played(outOfStock.always).get('order: POST /orders')?.spanId ?? '';
    expect(findingsOf(changed(HEARD, { parentId: root }), [outOfStock])).toEqual([
      `missing: inventory: send inventory.events.v1 StockRejected → ${HEARD}`,
      `unexpected: order: POST /orders → ${HEARD}`,
    ]);
  });

  it('finds spans that are missing', () => {
    const spans = [...played(outOfStock.always)].filter(([label]) => label !== 'notification: smtp send');
    expect(
      findingsOf(
        spans.map(([, span]) => span),
        [outOfStock],
      ),
    ).toEqual(['missing: notification: process order.events.v1 OrderCancelled → notification: smtp send']);
  });

  it('minds no message that was delivered again', () => {
    const again = { ...changed(HEARD, {})[0], spanId: 'd'.repeat(16) } as TraceSpan;
    const parentId = played(outOfStock.always).get('notification: smtp send')?.spanId ?? '';
    const duplicate: TraceSpan = { ...again, parentId, attributes: { 'millrace.outcome': 'duplicate' } };
    expect(findingsOf([...played(outOfStock.always).values(), duplicate], [outOfStock])).toEqual([]);
  });
});

describe('the search for what is personal', () => {
  const telling = (attributes: Attributes, events: TraceSpan['events'] = []): readonly TraceSpan[] =>
    changed('order: POST /orders', { attributes, events }).filter(({ name }) => name === 'POST /orders');

  it.each(['sent to ada@example.com', 'Marktplatz 1', 'Berlin', 'Ada', 'tok_approved', 'ada-1f2e3d'])(
    'finds "%s" in attributes and in events',
    (text) => {
      expect(secretsIn(telling({ anything: text }))).toHaveLength(1);
      expect(secretsIn(telling({}, [{ name: 'mail sent', attributes: { to: text } }]))).toHaveLength(1);
    },
  );

  it('finds nothing in ids, topics and types', () => {
    const attributes = { topic: 'order.events.v1', id: '01980000-0000-7000-8000-000000000001', partition: 3 };
    expect(secretsIn(telling(attributes, [{ name: 'mail sent', attributes: { kind: 'order-confirmed' } }]))).toEqual(
      [],
    );
  });
});
