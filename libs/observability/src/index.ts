export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { startTracing, type Tracing, type TracingOptions } from './tracing.ts';
export { contextOf, currentTraceparent, isSampled, traceparentOf } from './traceparent.ts';
export { Metrics, type MetricOptions } from './metrics.ts';
export { Health, type Readiness, type ReadinessCheck } from './health.ts';
export { LOGGER } from './logger-token.ts';
