import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseCompose } from '../deployment/compose-file.ts';
import { publishedPorts } from '../deployment/compose-policy.ts';

const root = join(import.meta.dirname, '../..');
const composeFile = join(root, 'docker-compose.yml');

export interface Run {
  readonly exitCode: number;
  /** Standard output; what docker tells about its progress is not part of it. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A container as `docker compose ps` knows it. */
export interface Container {
  readonly ID: string;
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
}

interface StartOptions {
  /** Until it is healthy. */
  readonly withinS: number;
  readonly firstUse?: () => Promise<unknown>;
}

/** A project of its own, on free ports, beside whatever else runs on this machine. */
export class ComposeShop {
  readonly project = `millrace-test-${randomBytes(3).toString('hex')}`;
  readonly #env: NodeJS.ProcessEnv;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #profiles: readonly string[];
  readonly #startedAtMs = performance.now();

  private constructor(ports: ReadonlyMap<string, number>, profiles: readonly string[]) {
    this.#ports = ports;
    this.#profiles = profiles;
    const variables = [...ports].map(([variable, port]) => [variable, String(port)]);
    this.#env = { ...process.env, ...Object.fromEntries(variables), COMPOSE_PROGRESS: 'plain' };
  }

  /** Chooses free ports; nothing is started. */
  static async prepare(...profiles: readonly string[]): Promise<ComposeShop> {
    const { services } = parseCompose(readFileSync(composeFile, 'utf8'));
    const variables = Object.values(services).flatMap((service) =>
      publishedPorts(service).map(({ variable }) => variable),
    );
    const ports = await freePorts(variables.length);
    return new ComposeShop(new Map(variables.map((variable, index) => [variable, ports[index] ?? 0])), profiles);
  }

  /** The address behind a published port, such as that of `ORDER_PORT`. */
  url(variable: string): string {
    return `http://127.0.0.1:${this.#ports.get(variable)}`;
  }

  /** Says on standard error what is going on: some steps take a minute. */
  say(line: string): void {
    const seconds = Math.round((performance.now() - this.#startedAtMs) / 1000);
    process.stderr.write(`${this.project} +${seconds} s: ${line}\n`);
  }

  /** Runs `docker compose` with these arguments in this project. Rejects with what it said unless it exits 0. */
  async compose(...args: readonly string[]): Promise<string> {
    const profiles = this.#profiles.flatMap((profile) => ['--profile', profile]);
    this.say(`docker compose ${args.join(' ')}`);
    return this.run('docker', 'compose', '--file', composeFile, '--project-name', this.project, ...profiles, ...args);
  }

  /**
   * Starts everything, waits until it is healthy and uses it for the first time. When that fails it tells the last words of
   * all containers on standard error, removes everything, and rejects.
   */
  async start({ withinS, firstUse }: StartOptions): Promise<void> {
    try {
      await this.compose('up', '--wait', '--wait-timeout', String(withinS));
      await firstUse?.();
    } catch (error) {
      process.stderr.write(await this.#lastWords());
      await this.down();
      throw error;
    }
  }

  /** Runs a program in the repository. Rejects with what it said unless it exits 0. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runIn(root, program, args, this.#env);
    if (exitCode === 0) return stdout;
    throw new Error(`${program} ${args.join(' ')} exited ${exitCode}:\n${tailOf(stdout)}\n${tailOf(stderr)}`);
  }

  /** All containers of the project, also those that have ended. */
  async containers(): Promise<readonly Container[]> {
    const lines = await this.compose('ps', '--all', '--format', 'json');
    return lines
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Container);
  }

  async json<T>(variable: string, path: string): Promise<T> {
    const response = await fetch(`${this.url(variable)}${path}`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** The value of each series that a query finds in Prometheus. */
  async query(promql: string): Promise<readonly number[]> {
    interface Answer {
      readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
    }
    const path = `/api/v1/query?query=${encodeURIComponent(promql)}`;
    const { data } = await this.json<Answer>('PROMETHEUS_PORT', path);
    return data.result.map(({ value }) => Number(value[1]));
  }

  /** Removes everything, whatever state it is in, and returns what is left all the same. */
  async down(): Promise<readonly string[]> {
    await this.compose('--profile', '*', 'down', '--volumes', '--timeout', '20');
    const label = `label=com.docker.compose.project=${this.project}`;
    const left = await Promise.all([
      this.run('docker', 'ps', '--all', '--quiet', '--filter', label),
      this.run('docker', 'volume', 'ls', '--quiet', '--filter', label),
      this.run('docker', 'network', 'ls', '--quiet', '--filter', label),
    ]);
    return left.flatMap((text) => text.split('\n').filter(Boolean));
  }

  /** The last lines of each container's log, for somebody who has to find out what went wrong. */
  async #lastWords(): Promise<string> {
    return this.compose('logs', '--no-color', '--tail', '15');
  }
}

const tailOf = (text: string): string => text.split('\n').slice(-60).join('\n');

function runIn(cwd: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
  });
}

/** Ports that nobody listens on. All are held at once, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject);
            server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
          }),
      ),
    );
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
