import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { baseConfig } from './base-config.ts';
import { ConfigError, loadConfig } from './load-config.ts';

const schema = z.object({
  ...baseConfig({ httpPort: 8081 }),
  RESERVATION_TTL_MS: z.coerce.number().int().positive().default(60_000).describe('how long stock is held'),
});

const COMPLETE = { DATABASE_URL: 'postgresql://inventory@127.0.0.1:5432/inventory', KAFKA_BROKERS: '127.0.0.1:9092' };

function complaintAbout(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('the configuration of a service', () => {
  it('needs a database and brokers; everything else has a default', () => {
    expect(loadConfig(schema, COMPLETE)).toEqual({
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 8081,
      DATABASE_URL: COMPLETE.DATABASE_URL,
      DATABASE_POOL_SIZE: 8,
      KAFKA_BROKERS: ['127.0.0.1:9092'],
      KAFKA_TOPIC_PREFIX: '',
      LOG_LEVEL: 'info',
      LOG_PRETTY: false,
      TRACE_SAMPLE_RATIO: 1,
      RESERVATION_TTL_MS: 60_000,
    });
  });

  it('reads numbers, switches and lists from text', () => {
    const env = { ...COMPLETE, HTTP_PORT: '9000', LOG_PRETTY: 'true', KAFKA_BROKERS: 'a:9092, b:9093' };
    expect(loadConfig(schema, { ...env, TRACE_SAMPLE_RATIO: '0.1' })).toMatchObject({
      HTTP_PORT: 9000,
      LOG_PRETTY: true,
      KAFKA_BROKERS: ['a:9092', 'b:9093'],
      TRACE_SAMPLE_RATIO: 0.1,
    });
  });

  it('takes an empty variable for one that is not set', () => {
    const env = { ...COMPLETE, OTEL_EXPORTER_OTLP_ENDPOINT: '', HTTP_PORT: '' };
    expect(loadConfig(schema, env)).toMatchObject({ HTTP_PORT: 8081 });
  });

  it('lists everything that is wrong at once and says what to set', () => {
    const complaint = complaintAbout({
      HTTP_PORT: '99999',
      LOG_LEVEL: 'loud',
      RESERVATION_TTL_MS: '-1',
      DATABASE_URL: '',
    });
    expect(complaint.split('\n')).toEqual([
      expect.stringContaining('Set these environment variables'),
      expect.stringMatching(/^ {2}HTTP_PORT is not valid \(.+\): the TCP port/),
      expect.stringMatching(/^ {2}DATABASE_URL is missing: the service's own database, such as postgresql:/),
      expect.stringMatching(/^ {2}KAFKA_BROKERS is missing: the first brokers/),
      expect.stringMatching(/^ {2}LOG_LEVEL is not valid \(.+\): trace, debug/),
      expect.stringMatching(/^ {2}RESERVATION_TTL_MS is not valid \(.+\): how long stock is held/),
    ]);
  });

  it('keeps secrets out of the complaint', () => {
    expect(complaintAbout({ ...COMPLETE, DATABASE_URL: 'mysql://root:hunter2@db/shop' })).not.toContain('hunter2');
  });

  it.each(['broker', 'broker:', ':9092', 'a:9092,,b:9092'])('refuses %p as a list of brokers', (brokers) => {
    expect(complaintAbout({ ...COMPLETE, KAFKA_BROKERS: brokers })).toContain('expected host:port');
  });
});
