import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Options } from '../options.ts';
import { type System, type SystemOptions, WrongBooks } from '../systems/system.ts';

/** What a phase works with. */
export interface Bench {
  readonly options: Options;
  readonly say: (line: string) => void;
  /** Ctrl-C. */
  readonly stop: AbortSignal;
  /**
   * Runs a system of its own for `work`, in an empty folder; then waits until nothing is under way, and checks the books. It is
   * stopped, and its data deleted, however this ends. @throws {WrongBooks}
   */
  run<S extends System, T>(start: (options: SystemOptions) => Promise<S>, work: (system: S) => Promise<T>): Promise<T>;
}

/** A bench whose systems live below a folder. `stopAll` ends those that run. */
export function createBench(
  folder: string,
  { options, say, stop }: Pick<Bench, 'options' | 'say' | 'stop'>,
): { readonly bench: Bench; readonly stopAll: () => Promise<void> } {
  const running = new Set<System>();
  let number = 0;

  async function run<S extends System, T>(
    start: (options: SystemOptions) => Promise<S>,
    work: (system: S) => Promise<T>,
  ): Promise<T> {
    stop.throwIfAborted();
    number += 1;
    const dir = join(folder, String(number));
    mkdirSync(dir);
    const system = await start({ dir, say });
    running.add(system);
    try {
      const result = await work(system);
      say('  checking the books …');
      await system.settled();
      const { balance, findings } = await system.books();
      if (!balance) throw new WrongBooks(system.name, findings);
      return result;
    } finally {
      running.delete(system);
      await system.stop();
      await rm(dir, { recursive: true, force: true });
    }
  }

  return {
    bench: { options, say, stop, run },
    async stopAll() {
      await Promise.all([...running].map((system) => system.stop()));
    },
  };
}
