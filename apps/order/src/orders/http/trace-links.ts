import { isSampled, traceIdsOf } from '@millrace/observability';

/** From an order to its trace, for people. */
export class TraceLinks {
  readonly #uiUrl: string | undefined;

  constructor(uiUrl: string | undefined) {
    this.#uiUrl = uiUrl?.replace(/\/+$/, '');
  }

  /** The id of the trace that an order began, and where to look at it: only where there is such a place and it was recorded. */
  of(traceparent: string | null): { readonly traceId?: string; readonly traceUrl?: string } {
    const { traceId } = traceIdsOf(traceparent ?? undefined);
    if (traceId === undefined) return {};
    if (this.#uiUrl === undefined || !isSampled(traceparent ?? undefined)) return { traceId };
    return { traceId, traceUrl: `${this.#uiUrl}/trace/${traceId}` };
  }
}
