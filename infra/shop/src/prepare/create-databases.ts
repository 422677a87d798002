import { Client, escapeIdentifier, escapeLiteral } from 'pg';

// Any number will do, as long as everybody who creates databases of a server takes the same.
const CREATION_LOCK = 7_214_406;

/**
 * Gives each service a database and a login role, both named like the service. A role owns its database and can connect
 * to no other: not to another service's, nor to `postgres` and `template1`. May be repeated, also by several processes
 * at once: what exists is kept with its data, and gets the password asked for now. Returns the address per service.
 */
export async function createServiceDatabases<Service extends string>(
  superuserUrl: string,
  services: readonly Service[],
  passwordOf: (service: Service) => string,
): Promise<Record<Service, string>> {
  await inTurn(superuserUrl, async (client) => {
    for (const database of ['postgres', 'template1']) await closeToPublic(client, database);
    for (const service of services) {
      await createRole(client, service, passwordOf(service));
      await createDatabase(client, service);
      await closeToPublic(client, service);
    }
  });
  const addresses = services.map((service) => [service, addressOf(superuserUrl, service, passwordOf(service))]);
  return Object.fromEntries(addresses) as Record<Service, string>;
}

/** The role of whoever compares the books. */
export const AUDITOR = 'auditor';

/**
 * Gives the auditor a login role that may read every table of these databases, also those that come later, and write
 * none. May be repeated.
 */
export async function createAuditor(
  superuserUrl: string,
  databases: readonly string[],
  password: string,
): Promise<void> {
  await inTurn(superuserUrl, async (client) => {
    await createRole(client, AUDITOR, password);
    await client.query(`GRANT pg_read_all_data TO ${AUDITOR}`);
    await client.query(`ALTER ROLE ${AUDITOR} SET default_transaction_read_only = on`);
    for (const database of databases) {
      await client.query(`GRANT CONNECT ON DATABASE ${escapeIdentifier(database)} TO ${AUDITOR}`);
    }
  });
}

/** Works as the superuser while nobody else creates anything on this server. */
async function inTurn(superuserUrl: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: superuserUrl });
  client.on('error', () => {}); // a connection that breaks makes the next query fail
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [CREATION_LOCK]);
    await work(client);
  } finally {
    await client.end();
  }
}

async function createRole(client: Client, name: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  const rights = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION';
  await client.query(`${verb} ROLE ${escapeIdentifier(name)} ${rights} PASSWORD ${escapeLiteral(password)}`);
}

async function createDatabase(client: Client, name: string): Promise<void> {
  const id = escapeIdentifier(name);
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  await client.query(rowCount === 0 ? `CREATE DATABASE ${id} OWNER ${id}` : `ALTER DATABASE ${id} OWNER TO ${id}`);
}

async function closeToPublic(client: Client, database: string): Promise<void> {
  await client.query(`REVOKE ALL ON DATABASE ${escapeIdentifier(database)} FROM PUBLIC`);
}

function addressOf(superuserUrl: string, service: string, password: string): string {
  const url = new URL(superuserUrl);
  url.username = encodeURIComponent(service);
  url.password = encodeURIComponent(password);
  url.pathname = `/${encodeURIComponent(service)}`;
  return url.href;
}
