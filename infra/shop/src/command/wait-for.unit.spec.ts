import { describe, expect, it } from '@jest/globals';
import { waitFor } from './wait-for.ts';

const quick = { timeoutMs: 200, everyMs: 1 };

describe('waiting for a server', () => {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const never = new AbortController().signal;

  it('says once what it waits for and why, and goes on when it answers', async () => {
    let attempts = 0;
    const attempt = () => {
      attempts += 1;
      return attempts < 4 ? Promise.reject(new Error('connection refused')) : Promise.resolve('there');
    };
    expect(await waitFor('Kafka', attempt, say, never, quick)).toBe('there');
    expect(said).toEqual(['waiting for Kafka: connection refused']);
  });

  it('gives up with the last reason', async () => {
    const refused = new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]);
    const waiting = waitFor('PostgreSQL', () => Promise.reject(refused), say, never, quick);
    await expect(waiting).rejects.toThrow('PostgreSQL does not answer for 0.2 s: connect ECONNREFUSED ::1:5432');
  });

  it('ends when it is stopped', async () => {
    const stop = new AbortController();
    const waiting = waitFor('Kafka', () => Promise.reject(new Error('away')), say, stop.signal, {
      timeoutMs: 60_000,
      everyMs: 60_000,
    });
    stop.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });
});
