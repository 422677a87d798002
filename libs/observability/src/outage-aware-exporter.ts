import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

export interface OutageListener {
  onOutage(reason: string): void;
  onRecovery(): void;
}

/** Reports an outage of the collector once, not once per batch, then its recovery, and again only after that. */
export class OutageAwareExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #tell: OutageListener;
  #isDown = false;
  #begun = 0;
  #newest = 0;

  constructor(exporter: SpanExporter, tell: OutageListener) {
    this.#exporter = exporter;
    this.#tell = tell;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const number = ++this.#begun;
    this.#exporter.export(spans, (result) => {
      // What began before another that has ended already is old news: it says nothing about now.
      if (number < this.#newest) return done(result);
      this.#newest = number;
      const failed = result.code === ExportResultCode.FAILED;
      // Outside the context of the span that happened to fill the batch, whose ids the line would carry.
      context.with(ROOT_CONTEXT, () => {
        if (failed && !this.#isDown) this.#tell.onOutage(result.error?.message ?? 'no reason given');
        if (!failed && this.#isDown) this.#tell.onRecovery();
      });
      this.#isDown = failed;
      done(result);
    });
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}
