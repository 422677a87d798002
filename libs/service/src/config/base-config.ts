import type { MessagingOptions } from '@millrace/messaging';
import { z } from 'zod';

/** The variables that every service reads. A service's own come next to them in one `z.object`. */
export function baseConfig(defaults: { readonly httpPort: number }) {
  return {
    HTTP_HOST: z.string().default('127.0.0.1').describe('the address to listen on, such as 127.0.0.1 or 0.0.0.0'),
    HTTP_PORT: z.coerce
      .number('expected a number')
      .int()
      .min(0)
      .max(65_535)
      .default(defaults.httpPort)
      .describe(`the TCP port to listen on, such as ${defaults.httpPort}; 0 takes a free one`),
    DATABASE_URL: z
      .url({ protocol: /^postgres(ql)?$/, error: 'expected a postgresql:// URL' })
      .describe("the service's own database, such as postgresql://user:password@127.0.0.1:5432/orders"),
    DATABASE_POOL_SIZE: z.coerce
      .number('expected a number')
      .int()
      .min(1)
      .max(1_000)
      .default(8)
      .describe('database sessions at most, such as 8'),
    KAFKA_BROKERS: z
      .string()
      .regex(/^[^\s,:]+:\d+(\s*,\s*[^\s,:]+:\d+)*$/, 'expected host:port, separated by commas')
      .transform((list) => list.split(',').map((broker) => broker.trim()))
      .describe('the first brokers to ask, such as 127.0.0.1:9092,127.0.0.1:9093'),
    KAFKA_TOPIC_PREFIX: z
      .string()
      .regex(/^[A-Za-z0-9._-]*$/, 'expected letters, digits, ".", "_" or "-"')
      .default('')
      .describe('what every topic and consumer group name starts with, to share brokers between systems'),
    LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('trace, debug, info, warn, error, fatal or silent'),
    LOG_PRETTY: z
      .stringbool({ error: 'expected true or false' })
      .default(false)
      .describe('true for lines to read at a terminal, false for JSON'),
    OTEL_EXPORTER_OTLP_ENDPOINT: z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
      .optional()
      .describe('the collector that takes spans by OTLP over HTTP, such as http://127.0.0.1:4318'),
    TRACE_SAMPLE_RATIO: z.coerce
      .number('expected a number')
      .min(0)
      .max(1)
      .default(1)
      .describe('the share of traces to record, 0 to 1'),
    MILLRACE_FAILPOINT: z
      .string()
      .optional()
      .describe('for tests of crashes: where the process kills itself, such as after-commit@payment.payments#3'),
  };
}

export type BaseConfig = z.output<z.ZodObject<ReturnType<typeof baseConfig>>>;

/** What the messaging runtime of a service takes from its configuration. */
export function messagingOptions(service: string, config: BaseConfig): MessagingOptions {
  return {
    service,
    brokers: config.KAFKA_BROKERS,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    ...(config.MILLRACE_FAILPOINT === undefined ? {} : { failpoint: config.MILLRACE_FAILPOINT }),
  };
}
