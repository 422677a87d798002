import { describe, expect, it } from '@jest/globals';
import { isDatabaseUnavailable, isTransactionConflict } from './index.ts';

const coded = (code: string, message = 'failed'): Error => Object.assign(new Error(message), { code });

describe('a database that is away', () => {
  it.each([
    ['no server listens', coded('ECONNREFUSED')],
    ['the connection was reset', coded('ECONNRESET')],
    ['the network timed out', coded('ETIMEDOUT')],
    ['the connection was closed while writing', coded('EPIPE')],
    ['the host name is gone', coded('ENOTFOUND')],
    ['pg lost the connection', new Error('Connection terminated unexpectedly')],
    ['pg could not connect in time', new Error('Connection terminated due to connection timeout')],
    ['the pool had no session in time', new Error('timeout exceeded when trying to connect')],
    ['a statement was never answered', new Error('Query read timeout')],
    ['the session was found broken', new Error('Client has encountered a connection error and is not queryable')],
    ['the pool is closing', new Error('Cannot use a pool after calling end on the pool')],
    ['the connection does not exist', coded('08003')],
    ['the administrator ended the session', coded('57P01')],
    ['the server crashed', coded('57P02')],
    ['the server is starting up', coded('57P03')],
    ['the server has no connection left', coded('53300')],
    ['the server reached a configured limit', coded('53400')],
    ['the disk is full', coded('53100')],
    ['the server is read-only', coded('25006')],
    ['Prisma cannot reach the server', coded('P1001')],
  ])('is recognised when %s', (_reason, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(isTransactionConflict(error)).toBe(false);
  });

  it('is recognised behind the errors of libraries', () => {
    const refused = coded('ECONNREFUSED');
    const rawQuery = (cause: object): Error =>
      Object.assign(coded('P2010'), { meta: { driverAdapterError: { cause } } });
    expect(isDatabaseUnavailable(new Error('batch failed', { cause: refused }))).toBe(true);
    expect(isDatabaseUnavailable(new AggregateError([coded('ENETUNREACH'), refused]))).toBe(true);
    expect(isDatabaseUnavailable(rawQuery({ kind: 'postgres', originalCode: '57P01' }))).toBe(true);
    expect(isDatabaseUnavailable(rawQuery({ kind: 'DatabaseNotReachable', host: 'db' }))).toBe(true);
    expect(isDatabaseUnavailable(rawQuery({ kind: 'ColumnNotFound', originalCode: '42703' }))).toBe(false);
  });
});

describe('a lost race', () => {
  it.each([
    ['serialization failure', '40001'],
    ['deadlock', '40P01'],
    ['lock timeout', '55P03'],
    ['statement timeout', '57014'],
    ['a write conflict that Prisma reports', 'P2034'],
  ])('is recognised: %s', (_reason, code) => {
    expect(isTransactionConflict(coded(code))).toBe(true);
    expect(isTransactionConflict(new Error('batch failed', { cause: coded(code) }))).toBe(true);
    expect(isDatabaseUnavailable(coded(code))).toBe(false);
  });
});

describe('a fault of the work itself', () => {
  const circular = new Error('itself');
  circular.cause = circular;

  it.each([
    ['a duplicate key', coded('23505')],
    ['a failed check', coded('23514')],
    ['a syntax error', coded('42601')],
    ['a wrong password', coded('28P01')],
    ['an error of the code', new TypeError('x is not a function')],
    ['a message that only mentions a connection', new Error('the carrier said: Connection terminated')],
    ['an error that is its own cause', circular],
    ['something that is no error', 'ECONNREFUSED'],
    ['nothing', undefined],
  ])('is neither: %s', (_reason, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
    expect(isTransactionConflict(error)).toBe(false);
  });
});
