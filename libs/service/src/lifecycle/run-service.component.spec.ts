import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';

const PROBE_SERVICE = fileURLToPath(new URL('../fixtures/probe-service.ts', import.meta.url));
const TYPESCRIPT = fileURLToPath(new URL('../../../../tools/ts.mjs', import.meta.url));

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

// Nothing listens on port 1: neither the database nor Kafka can be reached.
const ENVIRONMENT = {
  DATABASE_URL: 'postgresql://probe@127.0.0.1:1/probe',
  KAFKA_BROKERS: '127.0.0.1:1',
  HTTP_PORT: '0',
};

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly url?: string;
  readonly traceId?: string;
  readonly err?: { readonly message: string };
}

/** A service in a process of its own, as an orchestrator sees it: its log, its exit, its signals. */
class ServiceProcess {
  readonly lines: LogLine[] = [];
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<number | null>;
  stderr = '';

  constructor(env: Record<string, string>) {
    this.child = spawn(process.execPath, ['--conditions=@millrace/source', '--import', TYPESCRIPT, PROBE_SERVICE], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line) as LogLine));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
  }

  async line(text: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(({ msg }) => msg.includes(text));
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new Error(`it ended before it logged "${text}": ${this.stderr}`);
      await Promise.race([once(this.child.stdout, 'data'), this.exited]);
    }
  }

  async url(): Promise<string> {
    return (await this.line('listens at')).url ?? '';
  }
}

const started: ServiceProcess[] = [];
const start = (env: Record<string, string> = ENVIRONMENT): ServiceProcess => {
  const service = new ServiceProcess(env);
  started.push(service);
  return service;
};
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});

describe('the process of a service', () => {
  it('lives while its database is away, says so, and ends with 0 when it is asked to stop', async () => {
    const service = start();
    const url = await service.url();
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect((await service.line('cannot reach the database, trying again')).level).toBe('warn');
    service.child.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(service.lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    expect(service.stderr).toBe('');
  });

  it('logs what happens in a request under the trace of its caller', async () => {
    const service = start();
    const headers = { traceparent: TRACEPARENT, 'content-type': 'application/json' };
    await fetch(`${await service.url()}/traced`, { method: 'POST', headers, body: '{}' });
    expect(await service.line('inside the handler')).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c' });
  });

  it('logs what happens in a request about an order with the id of the order', async () => {
    const service = start();
    const headers = { 'content-type': 'application/json' };
    const orderId = '0198c0de-0000-7000-8000-000000000001';
    await fetch(`${await service.url()}/orders/${orderId}/traced`, { method: 'POST', headers, body: '{}' });
    expect(await service.line('inside the handler')).toMatchObject({ orderId });
  });

  it('logs a fault with its stack under the trace of its caller', async () => {
    const service = start();
    await fetch(`${await service.url()}/fault`, { headers: { traceparent: TRACEPARENT } });
    expect(await service.line('request failed')).toMatchObject({
      level: 'error',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      err: {
        message: 'the secret is 42',
        stack: expect.stringContaining('probe.module'),
        cause: { message: 'deeper' },
      },
    });
  });

  it('ends with 1 and one list of everything that is wrong with its configuration', async () => {
    const service = start({ HTTP_PORT: 'eighty' });
    expect(await service.exited).toBe(1);
    expect(service.stderr).toMatch(/^probe cannot start\. The configuration is not complete/);
    expect(service.stderr.trim().split('\n')).toHaveLength(4);
    expect(service.lines).toEqual([]);
  });

  it('ends with 1 and one message when its port is taken', async () => {
    const neighbour = createServer().listen(0, '127.0.0.1');
    await once(neighbour, 'listening');
    const { port } = neighbour.address() as AddressInfo;
    const service = start({ ...ENVIRONMENT, HTTP_PORT: String(port) });
    expect(await service.exited).toBe(1);
    neighbour.close();
    expect(service.lines.map(({ level, msg }) => ({ level, msg }))).toEqual([
      {
        level: 'fatal',
        msg: `probe cannot start: 127.0.0.1:${port} is taken. Stop what listens there or set HTTP_PORT to another port.`,
      },
    ]);
  });

  it('ends with 1 when an error is handled by nobody', async () => {
    const service = start();
    await fetch(`${await service.url()}/unhandled`).catch(() => {});
    expect(await service.exited).toBe(1);
    expect(await service.line('an error that nobody handles')).toMatchObject({
      level: 'fatal',
      err: { message: 'nobody waits for this' },
    });
  });

  it('takes a burst of signals for one, and a later one for impatience', async () => {
    const service = start();
    const stream = await fetch(`${await service.url()}/stubborn`);
    const startedMs = performance.now();
    const again = setInterval(() => service.child.kill('SIGINT'), 50);
    expect(await service.exited).toBe(1);
    clearInterval(again);
    expect(performance.now() - startedMs).toBeGreaterThan(500);
    await expect(stream.text()).rejects.toThrow('terminated');
    expect(service.lines.at(-1)).toMatchObject({ level: 'fatal', msg: expect.stringContaining('again') });
  });
});
