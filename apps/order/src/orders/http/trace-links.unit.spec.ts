import { describe, expect, it } from '@jest/globals';
import { TraceLinks } from './trace-links.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const recorded = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const unrecorded = `00-${TRACE_ID}-b7ad6b7169203331-00`;

describe('the way from an order to its trace', () => {
  it('is a link to where people look at traces', () => {
    const links = new TraceLinks('http://127.0.0.1:16686/');
    expect(links.of(recorded)).toEqual({
      traceId: TRACE_ID,
      traceUrl: `http://127.0.0.1:16686/trace/${TRACE_ID}`,
    });
  });

  it('is the id alone, which logs have too, where the trace was not recorded or nobody can look at it', () => {
    expect(new TraceLinks('http://127.0.0.1:16686').of(unrecorded)).toEqual({ traceId: TRACE_ID });
    expect(new TraceLinks(undefined).of(recorded)).toEqual({ traceId: TRACE_ID });
  });

  it('is missing for an order that came without a trace', () => {
    expect(new TraceLinks('http://127.0.0.1:16686').of(null)).toEqual({});
  });
});
