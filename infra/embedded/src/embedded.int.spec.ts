import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServiceDatabases } from '@millrace/shop';
import { Client } from 'pg';
import { commandLineOf } from './child.ts';
import {
  freePort,
  startKafka,
  startMailSink,
  startPostgres,
  startService,
  temporaryFolder,
  waitUntilReady,
  type KafkaCluster,
  type KafkaNode,
  type Mail,
  type MailSink,
  type PostgresServer,
} from './index.ts';
import { brokersSeenBy } from './kafka-protocol.ts';

const folder = temporaryFolder('millrace-embedded');
afterAll(() => folder.remove());

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  let server: PostgresServer;
  let urls: Record<'order' | 'payment', string>;
  const passwordOf = (service: string) => `${service} @:/?#`;

  beforeAll(async () => {
    server = await startPostgres({ dir: join(folder.path, 'postgres') });
    urls = await createServiceDatabases(server.superuserUrl, ['order', 'payment'], passwordOf);
  }, 120_000);
  afterAll(() => server.stop());

  it('gives each service a database of its own', async () => {
    const [row] = await query(urls.order, 'SELECT current_database() AS database, current_user AS role');
    expect(row).toEqual({ database: 'order', role: 'order' });
  });

  it.each(['payment', 'postgres', 'template1'])(
    'keeps the role of one service out of the database %s',
    async (other) => {
      const foreign = server.url(other, { name: 'order', password: passwordOf('order') });
      await expect(query(foreign, 'SELECT 1')).rejects.toThrow(`permission denied for database "${other}"`);
    },
  );

  it('keeps databases and data when they are created again', async () => {
    await query(urls.payment, 'CREATE TABLE kept (id int)');
    const again = await createServiceDatabases(server.superuserUrl, ['order', 'payment'], passwordOf);
    await expect(query(again.payment, 'SELECT * FROM kept')).resolves.toEqual([]);
  });

  it('brings committed data back after it was killed', async () => {
    await query(urls.order, 'CREATE TABLE placed (id int); INSERT INTO placed VALUES (1)');
    await server.kill();
    await expect(query(urls.order, 'SELECT * FROM placed')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    await expect(query(urls.order, 'SELECT * FROM placed')).resolves.toEqual([{ id: 1 }]);
  });

  it('refuses a data folder that another server works in, and leaves that server alone', async () => {
    await expect(startPostgres({ dir: join(folder.path, 'postgres') })).rejects.toThrow('is in use by another');
    await expect(query(urls.order, 'SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
  });

  it('names the port that is taken', async () => {
    const dir = join(folder.path, 'postgres-2');
    await expect(startPostgres({ dir, port: server.port })).rejects.toThrow(
      `Port ${server.port}, wanted for PostgreSQL`,
    );
  });

  it('leaves no process behind when it is stopped', async () => {
    const { pid } = server;
    await server.stop();
    await expect(commandLineOf(pid)).resolves.toBeUndefined();
  });
});

describe('the embedded Kafka', () => {
  let cluster: KafkaCluster;
  const nodeOf = (): KafkaNode => {
    const [node] = cluster.nodes;
    if (node === undefined) throw new Error('The cluster has no node.');
    return node;
  };

  beforeAll(async () => {
    cluster = await startKafka({ dir: join(folder.path, 'kafka') });
  }, 180_000);
  afterAll(() => cluster.stop(), 120_000);

  it('answers at the address it gives', async () => {
    expect(cluster.brokers).toEqual([`127.0.0.1:${nodeOf().port}`]);
    await expect(brokersSeenBy(nodeOf().port)).resolves.toBe(1);
  });

  it('comes back on its port after it was killed', async () => {
    await nodeOf().kill('SIGKILL');
    await expect(brokersSeenBy(nodeOf().port)).rejects.toThrow('ECONNREFUSED');
    await nodeOf().start();
    await expect(brokersSeenBy(nodeOf().port)).resolves.toBe(1);
  }, 180_000);

  it('names the port that is taken', async () => {
    const dir = join(folder.path, 'kafka-2');
    await expect(startKafka({ dir, port: nodeOf().port })).rejects.toThrow(`Port ${nodeOf().port}, wanted for Kafka`);
  });

  it('leaves no process behind when it is stopped', async () => {
    const { pid } = nodeOf();
    await cluster.stop();
    await expect(commandLineOf(pid)).resolves.toBeUndefined();
  }, 120_000);
});

describe('the mail sink', () => {
  let sink: MailSink;
  beforeAll(async () => {
    sink = await startMailSink();
  });
  afterAll(() => sink.stop());

  it('keeps every mail, also one that arrives twice', async () => {
    const mail = [
      'Message-ID: <1@millrace>',
      'To: Ann <ann@example.org>',
      'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= <script>',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Your order =E2=82=AC5 & <b>more</b>',
    ];
    await sendMail(sink.smtpPort, 'ann@example.org', mail);
    await sendMail(sink.smtpPort, 'ann@example.org', mail);
    const expected = { messageId: '<1@millrace>', to: ['ann@example.org'], subject: 'Grüße <script>' };
    const mails = await sink.mails();
    expect(mails).toEqual([expect.objectContaining(expected), expect.objectContaining(expected)]);
    expect(mails[0]?.text.trim()).toBe('Your order €5 & <b>more</b>');
    expect(sink.total()).toBe(2);
  });

  it('finds the Message-ID where a long one stands: on a line of its own', async () => {
    await sendMail(sink.smtpPort, 'cy@example.org', [
      'message-id:',
      ' <a-long-one@millrace>',
      '',
      'Message-ID: <2@millrace>',
    ]);
    expect(sink.arrivals().get('<a-long-one@millrace>')).toBe(1);
    expect(sink.arrivals().has('<2@millrace>')).toBe(false);
  });

  it('shows the mails of one address as JSON', async () => {
    await sendMail(sink.smtpPort, 'bob@example.org', ['Subject: for Bob', '', 'Hello']);
    const response = await fetch(`http://127.0.0.1:${sink.httpPort}/api/mails?to=Bob@example.org`);
    const mails = (await response.json()) as Mail[];
    expect(mails.map(({ subject }) => subject)).toEqual(['for Bob']);
  });

  it('shows what a mail contains as text, never as markup', async () => {
    const page = await (await fetch(`http://127.0.0.1:${sink.httpPort}/`)).text();
    expect(page).toContain('Grüße &lt;script&gt;');
    expect(page).not.toMatch(/<script|<b>/);
  });

  it('names the port that is taken', async () => {
    await expect(startMailSink({ smtpPort: sink.smtpPort })).rejects.toThrow(`Port ${sink.smtpPort}, the SMTP port`);
  });
});

describe('a service process', () => {
  const start = (name: string, code: string, env: Record<string, string> = {}) =>
    startService({
      name,
      cwd: folder.path,
      args: ['-e', code],
      env,
      logFile: join(folder.path, 'logs', `${name}.log`),
    });

  it('is ready when its address answers, and ends when it is asked to', async () => {
    const port = await freePort();
    const code = "require('node:http').createServer((_, r) => r.end()).listen(+process.env.PORT, '127.0.0.1')";
    const handle = await start('willing', code, { PORT: String(port) });
    await waitUntilReady(`http://127.0.0.1:${port}/health/ready`, { timeoutMs: 20_000, handle });
    await expect(handle.stop()).resolves.toEqual({ code: null, signal: 'SIGTERM' });
  }, 120_000);

  it('is killed when it does not end in time', async () => {
    const marker = join(folder.path, 'deaf');
    const code = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`;
    const handle = await start('deaf', code);
    await until(() => existsSync(marker));
    await expect(handle.stop(100)).resolves.toEqual({ code: null, signal: 'SIGKILL' });
  }, 120_000);

  it('that dies at its start is reported with its last words', async () => {
    const url = `http://127.0.0.1:${await freePort()}/`;
    const handle = await start('failing', "console.error('DATABASE_URL is missing'); process.exit(3)");
    const wait = waitUntilReady(url, { timeoutMs: 20_000, handle });
    await expect(wait).rejects.toThrow(
      /failing ended with exit code 3 before it was ready(.|\n)*DATABASE_URL is missing/,
    );
  }, 120_000);

  it('does not outlive a parent that is killed', async () => {
    const marker = join(folder.path, 'grandchild');
    const parentCode = `
      import { startService, temporaryFolder } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      import { writeFileSync, renameSync } from 'node:fs';
      const cwd = temporaryFolder('millrace-orphan').path;
      const args = ['-e', 'setInterval(() => {}, 1000)'];
      const { pid } = await startService({ name: 'grandchild', cwd, args, env: {}, logFile: cwd + '/log' });
      writeFileSync(${JSON.stringify(marker)} + '.draft', JSON.stringify({ pid, cwd }));
      renameSync(${JSON.stringify(marker)} + '.draft', ${JSON.stringify(marker)});
      setInterval(() => {}, 1000);`;
    const args = ['--conditions=@millrace/source', '--input-type=module', '-e', parentCode];
    const logFile = join(folder.path, 'logs', 'parent.log');
    const parent = await startService({ name: 'parent', cwd: folder.path, args, env: {}, logFile });
    await until(() => existsSync(marker));
    const { pid, cwd } = JSON.parse(readFileSync(marker, 'utf8')) as { pid: number; cwd: string };
    await expect(commandLineOf(pid)).resolves.toContain('setInterval');
    await parent.kill('SIGKILL');
    await until(async () => (await commandLineOf(pid)) === undefined);
    await until(() => !existsSync(cwd));
  }, 120_000);
});

/** Waits for a fact, for 20 s at most. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Not so within 20 s: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Speaks SMTP by hand, one line per answer, so that nothing of a client library stands between the test and the sink. */
function sendMail(port: number, to: string, lines: readonly string[]): Promise<void> {
  const mail = `${lines.join('\r\n')}\r\n.`;
  const said = ['HELO test', 'MAIL FROM:<shop@example.org>', `RCPT TO:<${to}>`, 'DATA', mail, 'QUIT'];
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('data', (answer) => {
      if (/^[45]/.test(answer.toString())) reject(new Error(answer.toString()));
      const next = said.shift();
      if (next === undefined) socket.end();
      else socket.write(`${next}\r\n`);
    });
    socket.on('close', () => resolve());
  });
}
