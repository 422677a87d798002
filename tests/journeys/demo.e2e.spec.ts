import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePortsInARow, isPortInUse, temporaryFolder } from '@millrace/embedded';
import { until } from '@millrace/messaging/testing';

const TEST_TIMEOUT_MS = 300_000;
// A start takes 6 s; on a machine where eight others compile it took 80 s.
const WITHIN_MS = 150_000;
const PORTS_OF_A_DEMO = 9;
const program = join(import.meta.dirname, '..', '..', 'infra', 'embedded', 'dist', 'cli', 'demo.js');

/** The demo as a process of its own, with what it has written so far. */
class Demo {
  readonly #child: ChildProcess;
  #output = '';
  #code: number | undefined;

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn(process.execPath, [program, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString('utf8')));
    }
    this.#child.once('close', (code) => (this.#code = code ?? Number.NaN));
  }

  /** What it wrote, and its exit code. */
  async end(): Promise<{ code: number; output: string }> {
    await until('it has ended', () => this.#code !== undefined, { timeoutMs: WITHIN_MS }).catch((error: unknown) => {
      throw new Error(`The demo does not end. It wrote:\n${this.#output}`, { cause: error });
    });
    return { code: this.#code ?? Number.NaN, output: this.#output };
  }

  /** Resolves when it has written this. Rejects when it ends without it. */
  async writes(text: string): Promise<void> {
    await until('it is written or over', () => this.#output.includes(text) || this.#code !== undefined, {
      timeoutMs: WITHIN_MS,
    }).catch((error: unknown) => {
      throw new Error(`The demo does not write "${text}", but:\n${this.#output}`, { cause: error });
    });
    if (!this.#output.includes(text)) throw new Error(`The demo ended without "${text}":\n${this.#output}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

describe('the demo', () => {
  const folder = temporaryFolder('millrace-demo');
  const running: Demo[] = [];
  let places = 0;

  const start = (args: readonly string[], env?: Record<string, string>): Demo => {
    const demo = new Demo(args, env);
    running.push(demo);
    return demo;
  };
  /** A folder and ports of its own for one demo. */
  const place = async () => {
    const parent = join(folder.path, String((places += 1)));
    mkdirSync(parent);
    const firstPort = await freePortsInARow(PORTS_OF_A_DEMO);
    const ports = Array.from({ length: PORTS_OF_A_DEMO }, (_, index) => firstPort + index);
    return { parent, ports, args: ['--dir', join(parent, 'shop'), '--ports-from', String(firstPort)] };
  };
  const expectNothingLeft = async ({ parent, ports }: { parent: string; ports: readonly number[] }) => {
    expect(readdirSync(parent)).toEqual([]);
    expect(await Promise.all(ports.map(isPortInUse))).toEqual(ports.map(() => false));
  };

  afterEach(async () => {
    for (const demo of running.splice(0)) {
      demo.signal('SIGKILL');
      await demo.end();
    }
  });
  afterAll(() => folder.remove());

  it('refuses an option that it does not know', async () => {
    const { code, output } = await start(['--onec']).end();
    expect(output).toContain("Unknown option '--onec'");
    expect(output).toContain('--help lists the options');
    expect(code).toBe(2);
  });

  it('names each port that is taken, and the option that chooses another', async () => {
    const here = await place();
    const [, second = 0] = here.ports;
    const server = createServer().listen(second, '127.0.0.1');
    await once(server, 'listening');
    const { code, output } = await start(here.args).end();
    await new Promise((resolve) => server.close(resolve));
    expect(output).toMatch(new RegExp(`Port ${second}, wanted for \\w+, is in use.*--\\w+-port N`));
    expect(code).toBe(1);
    await expectNothingLeft({ ...here, ports: [] });
  });

  it(
    'says how to get Java where there is none',
    async () => {
      const here = await place();
      const { code, output } = await start(here.args, { JAVA_HOME: here.parent }).end();
      expect(output).toContain('Apache Kafka needs Java 17 or newer');
      expect(code).toBe(1);
      expect(existsSync(join(here.parent, 'shop'))).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'names the line of a catalog that it cannot read',
    async () => {
      const here = await place();
      const { code, output } = await start([...here.args, '--seed', join(here.parent, 'missing.json')]).end();
      expect(output).toMatch(/The catalog could not be listed(.|\n)*missing\.json/);
      expect(code).toBe(1);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'lets no second one into its folder',
    async () => {
      const here = await place();
      const first = start(here.args);
      await first.writes('✔ PostgreSQL');
      const second = await start([
        ...here.args.slice(0, 2),
        '--ports-from',
        String(await freePortsInARow(PORTS_OF_A_DEMO)),
      ]).end();
      expect(second.output).toContain('Another demo is running');
      expect(second.code).toBe(1);
    },
    TEST_TIMEOUT_MS,
  );

  it.each(['✔ PostgreSQL', '✔ Apache Kafka', '✔ catalog'])(
    'leaves nothing behind when it is interrupted while it starts and has just written "%s"',
    async (step) => {
      const here = await place();
      const demo = start(here.args);
      await demo.writes(step);
      demo.signal('SIGINT');
      expect((await demo.end()).code).toBe(130);
      await expectNothingLeft(here);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'leaves nothing behind when it is ended in the middle of the tour',
    async () => {
      const here = await place();
      const demo = start(here.args);
      await demo.writes('OrderConfirmed');
      demo.signal('SIGTERM');
      expect((await demo.end()).code).toBe(143);
      await expectNothingLeft(here);
    },
    TEST_TIMEOUT_MS,
  );
});
