import { describe, expect, it } from '@jest/globals';
import { letterExample } from './letter.examples.ts';
import { type Filters, isNarrowed, matches, typeNameOf } from './selection.ts';

describe('a description of dead letters', () => {
  const letter = letterExample();

  it.each<[Filters]>([
    [{}],
    [{ all: true }],
    [{ group: ['payment.payments', 'order.checkout'] }],
    [{ key: 'order-1' }],
    [{ type: 'PaymentCaptured' }],
    [{ type: 'millrace.PaymentCaptured.v1' }],
    [{ error: 'typeerror' }],
    [{ cause: 'handler-failed' }],
    [{ since: new Date('2026-11-23T09:00:00Z'), until: new Date('2026-11-23T09:00:00Z') }],
    [{ group: ['order.checkout'], key: 'order-1', error: 'undefined' }],
  ])('%j means it', (filters) => {
    expect(matches(letter, filters)).toBe(true);
  });

  it.each<[Filters]>([
    [{ group: ['order.check'] }],
    [{ key: 'order-2' }],
    [{ type: 'PaymentCapture' }],
    [{ type: 'millrace.PaymentCaptured.v2' }],
    [{ error: 'range' }],
    [{ cause: 'handler' }],
    [{ since: new Date('2026-11-23T09:00:01Z') }],
    [{ until: new Date('2026-11-23T08:59:59Z') }],
    [{ group: ['order.checkout'], key: 'order-2' }],
  ])('%j means another', (filters) => {
    expect(matches(letter, filters)).toBe(false);
  });

  it('goes by when a letter was appended where nothing tells when it failed', () => {
    const unknown = letterExample({ failedAt: undefined });
    expect(matches(unknown, { since: new Date('2026-11-23T09:00:05Z') })).toBe(true);
    expect(matches(unknown, { until: new Date('2026-11-23T09:00:04Z') })).toBe(false);
  });

  it('finds what has neither key nor type', () => {
    const bare = letterExample({ type: undefined, record: { key: null, value: null, headers: {} } });
    expect(matches(bare, { cause: 'handler-failed' })).toBe(true);
    expect(matches(bare, { key: '' })).toBe(false);
    expect(typeNameOf(bare)).toBe('');
  });

  it('says something only when it narrows down what is meant', () => {
    expect(isNarrowed({})).toBe(false);
    expect(isNarrowed({ all: true })).toBe(false);
    expect(isNarrowed({ error: 'x' })).toBe(true);
  });
});
