import { describe, expect, it } from '@jest/globals';
import { problemOf } from './problem-of.ts';

describe('the answer to an error', () => {
  it.each([
    ['a lock that was not free in time', '55P03'],
    ['a statement that took too long under load', '57014'],
    ['a race with another transaction', '40001'],
    ['a deadlock', '40P01'],
  ])('is 503 with a time to come again after %s, because nothing was done', (_, code) => {
    const cause = Object.assign(new Error('canceled'), { code });
    const problem = problemOf(cause);
    expect(problem).toMatchObject({ status: 503, type: 'database-busy', headers: { 'retry-after': '1' }, cause });
    expect(problem.detail).not.toContain('canceled');
  });

  it('is 503 while the database is away, and 500 for what nobody foresaw', () => {
    expect(problemOf(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))).toMatchObject({
      status: 503,
      type: 'database-unavailable',
    });
    expect(problemOf(new TypeError('undefined is not a function'))).toMatchObject({
      status: 500,
      type: 'internal-error',
    });
  });
});
