import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { until } from '@millrace/messaging/testing';

const commands = join(import.meta.dirname, '..', '..', 'infra', 'shop', 'dist', 'cli');
const WITHIN_MS = 90_000;

/** One of the shop's commands as a process of its own, with what it has written so far. */
export class ShopCommand {
  readonly #child: ChildProcess;
  #output = '';
  #code: number | undefined;

  constructor(
    name: 'audit' | 'load' | 'millrace' | 'prepare' | 'tour',
    args: readonly string[],
    env: Record<string, string>,
  ) {
    this.#child = spawn(process.execPath, [join(commands, `${name}.js`), ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString('utf8')));
    }
    this.#child.once('close', (code) => (this.#code = code ?? Number.NaN));
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves when it has written this. Rejects when it ends without it. */
  async writes(text: string): Promise<void> {
    await until(`"${text}" is written or it is over`, () => this.#output.includes(text) || this.#code !== undefined, {
      timeoutMs: WITHIN_MS,
    }).catch((error: unknown) => {
      throw new Error(`It does not write "${text}", but:\n${this.#output}`, { cause: error });
    });
    if (!this.#output.includes(text)) throw new Error(`It ended without "${text}":\n${this.#output}`);
  }

  /** Its exit code, and all that it wrote. */
  async end(): Promise<{ readonly code: number; readonly output: string }> {
    await until('it has ended', () => this.#code !== undefined, { timeoutMs: WITHIN_MS }).catch((error: unknown) => {
      throw new Error(`It does not end. It wrote:\n${this.#output}`, { cause: error });
    });
    return { code: this.#code ?? Number.NaN, output: this.#output };
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
