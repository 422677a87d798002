import { Client } from 'pg';
import { liveBrokers } from '@millrace/messaging/kafka';
import { describeVariables, readVariables, UsageError } from '../command/environment.ts';
import { runCommand } from '../command/run-command.ts';
import { waitFor } from '../command/wait-for.ts';
import { kafkaOf } from '../kafka.ts';
import { AUDITOR, createAuditor } from '../prepare/create-databases.ts';
import { prepareDatabases } from '../prepare/prepare-databases.ts';
import { prepareTopics } from '../prepare/prepare-topics.ts';
import { databases, type DatabaseName } from '../services.ts';

const passwordVariable = (database: DatabaseName): string => `${database.toUpperCase()}_DATABASE_PASSWORD`;

const databaseVariables: Record<string, string> = {
  SUPERUSER_DATABASE_URL: 'the PostgreSQL server, as a role that may create databases and roles',
  ...Object.fromEntries(databases.map((name) => [passwordVariable(name), `the password of the role ${name}`])),
  AUDITOR_DATABASE_PASSWORD: `the password of the role ${AUDITOR}, which may read every database and write none`,
};

const topicVariables = { KAFKA_BROKERS: 'host:port of at least one broker, separated by commas' };

const help = `Gets what a shop needs ready: creates what is missing, keeps what is there, may be repeated.

Usage: prepare databases|topics

prepare databases   a database and a role for each service, the auditor's role, and all migrations
${describeVariables(databaseVariables)}

prepare topics      the topics, with as many replicas as there are brokers, three at most
${describeVariables(topicVariables)}

Waits two minutes for the server. Exits 0 when all is ready, 1 when something failed, 2 when it was asked for wrongly.
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

await runCommand({
  help,
  allowPositionals: true,
  async run({ positionals }, stop) {
    const [what, ...more] = positionals;
    if (what === 'databases' && more.length === 0) await databasesAreReady(stop);
    else if (what === 'topics' && more.length === 0) await topicsAreReady(stop);
    else throw new UsageError(`prepare ${positionals.join(' ')}: expected databases or topics.`);
    return 0;
  },
});

async function databasesAreReady(stop: AbortSignal): Promise<void> {
  const variables = readVariables(process.env, databaseVariables);
  const url = variables['SUPERUSER_DATABASE_URL'] ?? '';
  await waitFor(`PostgreSQL at ${new URL(url).host}`, () => connectOnce(url), say, stop);
  const passwordOf = (database: DatabaseName) => variables[passwordVariable(database)] ?? '';
  await prepareDatabases(url, passwordOf);
  await createAuditor(url, databases, variables['AUDITOR_DATABASE_PASSWORD'] ?? '');
  say(`${databases.length} databases are ready: ${databases.join(', ')}`);
}

async function connectOnce(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => {}); // a connection that breaks makes the query fail
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

async function topicsAreReady(stop: AbortSignal): Promise<void> {
  const { KAFKA_BROKERS } = readVariables(process.env, topicVariables);
  const brokers = KAFKA_BROKERS.split(',');
  await waitFor(`Kafka at ${KAFKA_BROKERS}`, () => liveBrokers(kafkaOf(brokers, 0)), say, stop);
  const { replicationFactor, created, enlarged, tooSmall, raised } = await prepareTopics(brokers);
  if (created.length > 0) say(`created: ${created.join(', ')}`);
  if (enlarged.length > 0) say(`more partitions: ${enlarged.join(', ')}`);
  for (const { topic, partitions, declared } of tooSmall) {
    say(
      `${topic} has ${partitions} of its ${declared} partitions and holds messages, whose keys would change their places.`,
    );
    say(`  Give it more while the shop runs: millrace topics grow ${topic} --partitions ${declared}`);
  }
  if (raised.length > 0) say(`more replicas: ${raised.join(', ')}`);
  say(`all topics are ready, with ${replicationFactor} ${replicationFactor === 1 ? 'replica' : 'replicas'}`);
}
