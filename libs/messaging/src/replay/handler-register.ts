import type { Database } from '@millrace/database';
import type { Handler } from '../handlers/handler.ts';

/** Writes down what the handlers of a service are, so that a tool which knows only its database can tell what may be replayed. */
export async function registerHandlers(
  database: Database,
  handlers: readonly (readonly [string, Handler])[],
): Promise<void> {
  const sorted = handlers.toSorted(([a], [b]) => (a < b ? -1 : 1));
  await database.query(
    `INSERT INTO messaging.handler (name, kind, tables)
     SELECT u.name, u.kind, ARRAY(SELECT jsonb_array_elements_text(u.tables))
       FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS u(name, kind, tables)
     ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, tables = excluded.tables, started_at = clock_timestamp()`,
    [
      sorted.map(([name]) => name),
      sorted.map(([, { kind }]) => kind),
      sorted.map(([, handler]) => JSON.stringify(handler.kind === 'project' ? handler.tables : [])),
    ],
  );
}
