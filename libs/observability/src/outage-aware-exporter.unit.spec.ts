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
  const aware = new OutageAwareExporter(exporter, {
    onOutage: (reason) => reported.push(reason),
    onRecovery: () => reported.push('back'),
  });
  for (const expected of results) aware.export([], (result) => expect(result).toBe(expected));
  return reported;
}

describe('an outage of the collector', () => {
  it('is reported once however many batches it costs', () => {
    expect(outagesReportedFor([DOWN, DOWN, DOWN])).toEqual(['connection refused']);
  });

  it('is reported again when the collector had been back, and so is that it was', () => {
    expect(outagesReportedFor([UP, DOWN, UP, UP, DOWN])).toEqual(['connection refused', 'back', 'connection refused']);
  });

  it('is not reported by an export that hung while a later one was taken', () => {
    const reported: string[] = [];
    const answers: ((result: ExportResult) => void)[] = [];
    const exporter: SpanExporter = {
      export: (_spans, done) => answers.push(done),
      shutdown: () => Promise.resolve(),
    };
    const aware = new OutageAwareExporter(exporter, {
      onOutage: (reason) => reported.push(reason),
      onRecovery: () => reported.push('back'),
    });
    for (let count = 0; count < 3; count++) aware.export([], () => {});
    answers[0]?.(DOWN);
    answers[2]?.(UP);
    answers[1]?.(DOWN);
    expect(reported).toEqual(['connection refused', 'back']);
  });
});
