import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { failureOf } from '../runtime/dead-letter.ts';
import { endFailed, endLeft, endSettled, inBatchSpan, noteRetry, type Spanned } from './settled-spans.ts';

const lost = Object.assign(new Error('connection to 10.0.0.7 lost'), { code: '57P01' });

describe('the spans of records that are settled together', () => {
  const exporter = new InMemorySpanExporter();
  const finished = () => exporter.getFinishedSpans();
  const open = (): Spanned & { readonly begun: Span } => {
    const begun = trace.getTracer('test').startSpan('process payment.commands.v1');
    return { span: begun, begun };
  };

  beforeAll(() => {
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  });
  afterEach(() => exporter.reset());
  afterAll(() => trace.disable());

  it('show a transaction that was tried again, and stay open until it worked', () => {
    const records = [open(), { span: undefined }];
    noteRetry(records, lost);
    expect(finished()).toEqual([]);
    for (const record of records) endSettled(record, 'applied');
    for (const record of records) endSettled(record, 'duplicate');
    expect(
      finished().map(({ attributes, events }) => [attributes['millrace.outcome'], events.map(({ name }) => name)]),
    ).toEqual([['applied', ['transaction tried again']]]);
    expect(finished()[0]?.events[0]?.attributes).toEqual({ 'error.type': '57P01' });
  });

  it('are linked to each transaction that was tried, of which only the failed one fails', async () => {
    const records = [open(), open()];
    await expect(inBatchSpan('payment.payments', records, () => Promise.reject(lost))).rejects.toBe(lost);
    expect(await inBatchSpan('payment.payments', records, () => Promise.resolve('committed'))).toBe('committed');
    expect(finished().map(({ name, status }) => [name, status.code])).toEqual([
      ['settle payment.payments', SpanStatusCode.ERROR],
      ['settle payment.payments', SpanStatusCode.UNSET],
    ]);
    const batches = finished().map((span) => span.spanContext().spanId);
    for (const record of records) endSettled(record, 'applied');
    for (const { links } of finished().slice(2)) expect(links.map(({ context }) => context.spanId)).toEqual(batches);
  });

  it('need no transaction of their own for a single record', async () => {
    await inBatchSpan('payment.payments', [open()], () => Promise.resolve());
    expect(finished()).toEqual([]);
  });

  it('tell why a record could not be handled, in one word', () => {
    const [unforeseen, known] = [open(), open()];
    endFailed(unforeseen, failureOf(new TypeError('ada@example.com is not a function')), 'parked');
    const refused = { reason: 'schema-violation', error: 'email: expected an address, got ada@example' };
    endFailed(known, refused, 'dead-lettered');
    expect(finished().map(({ attributes }) => attributes['error.type'])).toEqual(['TypeError', 'schema-violation']);
    expect(finished().map(({ attributes }) => attributes['millrace.outcome'])).toEqual(['parked', 'dead-lettered']);
    expect(
      JSON.stringify(finished().map(({ attributes, events, status }) => [attributes, events, status])),
    ).not.toContain('ada@');
  });

  it('fail when a record is left to be delivered again', () => {
    const record = open();
    endLeft(record, lost);
    endLeft(record, lost);
    expect(finished().map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR]);
  });
});
