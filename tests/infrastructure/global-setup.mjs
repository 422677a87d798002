// Starts one real broker and one real PostgreSQL for the whole test run; test files keep apart by topic prefix and database.
// @boundaries-ignore Jest loads this file without the condition that leads to sources
import { startKafka } from '../../infra/embedded/src/kafka.ts';
// @boundaries-ignore Jest loads this file without the condition that leads to sources
import { startPostgres } from '../../infra/embedded/src/postgres.ts';
// @boundaries-ignore Jest loads this file without the condition that leads to sources
import { temporaryFolder } from '../../infra/embedded/src/temporary-folder.ts';

export default async function startInfrastructure() {
  const folder = temporaryFolder('millrace-tests');
  const [kafka, postgres] = await Promise.all([
    startKafka({ dir: `${folder.path}/kafka` }),
    startPostgres({ dir: `${folder.path}/postgres` }),
  ]);
  process.env['MILLRACE_TEST_KAFKA_BROKERS'] = kafka.brokers.join(',');
  process.env['MILLRACE_TEST_POSTGRES_URL'] = postgres.superuserUrl;
  globalThis.millraceTestInfrastructure = { folder, kafka, postgres };
}
