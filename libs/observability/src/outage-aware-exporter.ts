import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** Reports an outage of the collector once, not once per batch, and again only after it had recovered. */
export class OutageAwareExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #onOutage: (reason: string) => void;
  #isDown = false;

  constructor(exporter: SpanExporter, onOutage: (reason: string) => void) {
    this.#exporter = exporter;
    this.#onOutage = onOutage;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      const failed = result.code === ExportResultCode.FAILED;
      if (failed && !this.#isDown) this.#onOutage(result.error?.message ?? 'no reason given');
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
