import { describe, expect, it } from '@jest/globals';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { OutageAwareExporter } from './outage-aware-exporter.ts';

const DOWN = { code: ExportResultCode.FAILED, error: new Error('connection refused') };
const UP = { code: ExportResultCode.SUCCESS };

function outagesReportedFor(results: readonly ExportResult[]): string[] {
  const left = [...results];
  const reported: string[] = [];
  const exporter: SpanExporter = {
    export: (_spans, done) => done(left.shift() ?? UP),
    shutdown: () => Promise.resolve(),
  };
  const aware = new OutageAwareExporter(exporter, (reason) => reported.push(reason));
  for (const expected of results) aware.export([], (result) => expect(result).toBe(expected));
  return reported;
}

describe('an outage of the collector', () => {
  it('is reported once however many batches it costs', () => {
    expect(outagesReportedFor([DOWN, DOWN, DOWN])).toEqual(['connection refused']);
  });

  it('is reported again when the collector had been back', () => {
    expect(outagesReportedFor([DOWN, UP, DOWN])).toHaveLength(2);
  });
});
