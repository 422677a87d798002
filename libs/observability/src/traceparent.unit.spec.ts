import { describe, expect, it } from '@jest/globals';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { contextOf, currentTraceparent, isSampled } from './traceparent.ts';
import { startTracing } from './tracing.ts';

const SAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

describe('a traceparent', () => {
  it('comes out as it went in', async () => {
    const tracing = startTracing({ service: 'order', sampleRatio: 1 });
    expect(context.with(contextOf(SAMPLED), currentTraceparent)).toBe(SAMPLED);
    expect(context.with(contextOf(UNSAMPLED), currentTraceparent)).toBe(UNSAMPLED);
    await tracing.shutdown();
  });

  it('marks its span as remote, so that the sampler follows the sender', () => {
    expect(trace.getSpanContext(contextOf(SAMPLED))).toMatchObject({ isRemote: true, spanId: 'b7ad6b7169203331' });
  });

  it.each([undefined, '', 'nonsense', `${SAMPLED}-extra`, '00-00000000000000000000000000000000-b7ad6b7169203331-01'])(
    'is no parent when it is %p',
    (traceparent) => {
      expect(contextOf(traceparent)).toBe(ROOT_CONTEXT);
      expect(isSampled(traceparent)).toBe(false);
    },
  );

  it('says whether its trace is recorded', () => {
    expect(isSampled(SAMPLED)).toBe(true);
    expect(isSampled(UNSAMPLED)).toBe(false);
  });

  it('is missing outside of a span', () => {
    expect(currentTraceparent()).toBeUndefined();
  });
});
