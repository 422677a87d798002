import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseOptions, type Options } from '../options.ts';
import type { Books, System } from '../systems/system.ts';
import { type Bench, createBench } from './phase.ts';

let folder: string;
let happened: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-phase-'));
  happened = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const benchOf = (stop = new AbortController().signal): Bench =>
  createBench(folder, { options: parseOptions([]) as Options, say: () => {}, stop }).bench;

const systemWith =
  (books: Partial<Books>) =>
  async ({ dir }: { dir: string }): Promise<System> => ({
    name: 'millrace',
    dir,
    orderUrl: '',
    brokers: [],
    postgresUrl: '',
    events: { topics: [], milestoneOf: () => undefined },
    processes: () => [],
    settled: async () => void happened.push('settled'),
    books: async () => ({ balance: true, findings: [], completed: 0, ...books }),
    stop: async () => void happened.push('stopped'),
  });

describe('a phase', () => {
  it('has a result when the books add up after everything has come to rest', async () => {
    const result = await benchOf().run(systemWith({}), async () => {
      happened.push('measured');
      return 42;
    });
    expect(result).toBe(42);
    expect(happened).toEqual(['measured', 'settled', 'stopped']);
  });

  it('fails when the books do not add up, however fast it was', async () => {
    const wrong = { balance: false, findings: ['order 7 was captured 2 times'] };
    await expect(benchOf().run(systemWith(wrong), async () => 2000)).rejects.toThrow('order 7 was captured 2 times');
    expect(happened).toEqual(['settled', 'stopped']);
  });

  it('leaves nothing behind, also when it fails', async () => {
    const failing = benchOf().run(systemWith({}), async () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(happened).toEqual(['stopped']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not begun after Ctrl-C', async () => {
    const stop = AbortSignal.abort(new Error('interrupted'));
    await expect(benchOf(stop).run(systemWith({}), async () => 1)).rejects.toThrow('interrupted');
    expect(happened).toEqual([]);
  });
});
