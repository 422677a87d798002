export { Database, type DatabaseOptions, type Queryable, statement, type Transaction } from './database.ts';
export { isDatabaseUnavailable, isTransactionConflict } from './database-errors.ts';
