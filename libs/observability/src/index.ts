export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { withLogFields } from './log-fields.ts';
export { noteOnSpan } from './span-events.ts';
export { startTracing, type Tracing, type TracingOptions } from './tracing.ts';
export { contextOf, currentTraceparent, isSampled, traceIdsOf, traceparentOf } from './traceparent.ts';
export { type LookUp, Metrics, type MetricOptions } from './metrics.ts';
export { Health, type Readiness, type ReadinessCheck } from './health.ts';
export { LOGGER } from './logger-token.ts';
