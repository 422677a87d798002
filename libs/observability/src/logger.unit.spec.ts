import { describe, expect, it } from '@jest/globals';
import { context, trace } from '@opentelemetry/api';
import { withLogFields } from './log-fields.ts';
import { createLogger, type LoggerOptions } from './logger.ts';
import { startTracing } from './tracing.ts';

function loggerToMemory(options: Partial<LoggerOptions> = {}) {
  const written: string[] = [];
  const destination = { write: (line: string): void => void written.push(line) };
  const logger = createLogger({ service: 'order', level: 'info', destination, ...options });
  const lines = (): Record<string, unknown>[] => written.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, written, lines };
}

describe('the log', () => {
  it('is one JSON object per line with level, ISO time, service and message', () => {
    const { logger, lines } = loggerToMemory();
    logger.info({ orderId: 'o-1' }, 'order accepted');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        service: 'order',
        pid: process.pid,
        orderId: 'o-1',
        msg: 'order accepted',
      },
    ]);
  });

  it('names the active trace and span, and none outside of one', async () => {
    const tracing = startTracing({ service: 'order', sampleRatio: 1 });
    const { logger, lines } = loggerToMemory();
    const ids = trace.getTracer('test').startActiveSpan('work', (span) => {
      logger.info('inside');
      return span.spanContext();
    });
    logger.info('outside');
    await tracing.shutdown();
    expect(lines()[0]).toMatchObject({ msg: 'inside', traceId: ids.traceId, spanId: ids.spanId });
    expect(lines()[1]).not.toHaveProperty('traceId');
  });

  it('carries the fields of the active context, such as the order, unless a line tells otherwise', async () => {
    const tracing = startTracing({ service: 'order', sampleRatio: 1 });
    const { logger, lines } = loggerToMemory();
    const active = withLogFields(withLogFields(context.active(), { orderId: 'o-1' }), { messageId: 'm-1' });
    context.with(active, () => {
      logger.info('inside');
      logger.info({ orderId: 'o-2' }, 'about another');
    });
    logger.info('outside');
    await tracing.shutdown();
    expect(lines()[0]).toMatchObject({ orderId: 'o-1', messageId: 'm-1' });
    expect(lines()[1]).toMatchObject({ orderId: 'o-2', messageId: 'm-1' });
    expect(lines()[2]).not.toHaveProperty('orderId');
  });

  it('tells the name, code, stack and causes of an error but not the data that hangs on it', () => {
    const { logger, lines } = loggerToMemory();
    const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(ada@example.org)' });
    logger.error({ err: new Error('could not save', { cause }) }, 'failed');
    expect(lines()[0]).toMatchObject({
      err: { type: 'Error', message: 'could not save', cause: { message: 'duplicate key', code: '23505' } },
    });
    expect(JSON.stringify(lines())).not.toContain('ada@example.org');
  });

  it('leaves out the error when there is none', () => {
    const { logger, lines } = loggerToMemory();
    logger.info({ err: undefined }, 'fine');
    expect(lines()[0]).not.toHaveProperty('err');
  });

  it('survives an error that is its own cause', () => {
    const { logger, lines } = loggerToMemory();
    const error = new Error('round');
    error.cause = error;
    logger.error({ err: error }, 'failed');
    expect(lines()).toHaveLength(1);
  });

  it('is readable at a terminal when asked', () => {
    const { logger, written } = loggerToMemory({ pretty: true });
    logger.warn({ attempts: 3, err: new Error('refused') }, 'trying again');
    const text = written.join('');
    expect(text).toMatch(/^[\d:.]{12} .*WARN .* order trying again/);
    expect(text).toContain('attempts=3');
    expect(text).toContain('Error: refused\n');
  });
});
