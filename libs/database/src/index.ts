export { Database, type DatabaseOptions, type Queryable, statement, together, type Transaction } from './database.ts';
export { isDatabaseUnavailable, isTransactionConflict } from './database-errors.ts';
