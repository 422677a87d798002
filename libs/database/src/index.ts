export { Database, type DatabaseOptions, type Queryable, statement, type Transaction } from './database.ts';
export { DatabaseModule } from './database.module.ts';
export { isDatabaseUnavailable, isTransactionConflict } from './database-errors.ts';
