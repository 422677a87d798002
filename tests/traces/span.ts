/** One span, wherever it was read from. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent on the root of a trace. */
  readonly parentId?: string;
  /** The service that made it. */
  readonly service: string;
  /** The process that made it. */
  readonly instance: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export type Attributes = Readonly<Record<string, string | number | boolean>>;
