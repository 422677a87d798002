import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, type SpanContext, trace, TraceFlags } from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { LinkedSampler } from './linked-sampler.ts';

const spanContext = (traceFlags: TraceFlags): SpanContext => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags,
});

/** Whether a span with these links is recorded where no trace that starts is. */
const isRecorded = (links: readonly TraceFlags[], parent?: TraceFlags): boolean => {
  const sampler = new LinkedSampler(new ParentBasedSampler({ root: new AlwaysOffSampler() }));
  const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContext(parent));
  return new TracerProvider({ sampler })
    .getTracer('test')
    .startSpan('settle', { links: links.map((flags) => ({ context: spanContext(flags) })) }, context)
    .isRecording();
};

describe('what begins a trace', () => {
  it('is recorded when it is linked to something recorded', () => {
    expect(isRecorded([TraceFlags.NONE, TraceFlags.SAMPLED])).toBe(true);
  });

  it('is left to the sampler otherwise', () => {
    expect(isRecorded([])).toBe(false);
    expect(isRecorded([TraceFlags.NONE])).toBe(false);
    const on = new LinkedSampler(new AlwaysOnSampler());
    expect(new TracerProvider({ sampler: on }).getTracer('test').startSpan('request').isRecording()).toBe(true);
  });

  it('is not what goes on in a trace that is not recorded', () => {
    expect(isRecorded([TraceFlags.SAMPLED], TraceFlags.NONE)).toBe(false);
  });
});
