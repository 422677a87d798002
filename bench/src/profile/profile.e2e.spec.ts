import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@millrace/embedded';
import type { CpuProfile } from './cpu-profile.ts';

const root = resolve(import.meta.dirname, '../../..');
const WITHIN_MS = 240_000;

const folder = temporaryFolder('millrace-profile');
afterAll(() => folder.remove());

/** Runs the command as `pnpm bench:profile` does, on a repository that is built. */
async function profile(...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const node = ['--conditions=@millrace/source', '--import', './tools/ts.mjs', 'bench/src/profile/profile.ts'];
  const child = spawn(process.execPath, [...node, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('the profile of the shop', () => {
  it(
    'leaves a profile and a flame graph of each service that was asked for, and says where its time goes',
    async () => {
      const out = join(folder.path, 'out');
      const { code, output } = await profile(
        '--seconds=2',
        '--customers=20',
        '--services=order,payment',
        `--out=${out}`,
      );
      expect({ code, output }).toMatchObject({ code: 0 });

      for (const service of ['order', 'payment']) {
        const { samples, startTime, endTime } = JSON.parse(
          readFileSync(join(out, `${service}.cpuprofile`), 'utf8'),
        ) as CpuProfile;
        expect(samples.length).toBeGreaterThan(0);
        // The time under load and nothing before it: starting and warming up take longer than this.
        expect((endTime - startTime) / 1e6).toBeGreaterThan(1.5);
        expect(readFileSync(join(out, `${service}.html`), 'utf8')).toContain('libs/messaging/src/');
        expect(output).toMatch(new RegExp(`^${service}: at work for .* garbage collection$`, 'm'));
      }
      expect(output).toMatch(/^ +\d+ ms +[\d.]+ % {2}kafkajs$/m);
      expect(output).toMatch(/ ms {2}kafka$/m);
      expect(readFileSync(join(out, 'summary.txt'), 'utf8')).toContain('payment: at work for');
    },
    WITHIN_MS,
  );

  it('explains itself, and says what it does not understand', async () => {
    expect(await profile('--help')).toMatchObject({ code: 0, output: expect.stringContaining('--customers N') });
    expect(await profile('--services=warehouse')).toMatchObject({
      code: 2,
      output: expect.stringContaining('--services takes order, inventory'),
    });
  });
});
