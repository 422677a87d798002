import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { freePort, freePortsInARow, isPortInUse } from './free-port.ts';

const PORTS = 60;

const program = `
  const { freePort } = await import(${JSON.stringify(new URL('free-port.ts', import.meta.url).href)});
  const ports = [];
  for (let count = 0; count < ${PORTS}; count++) ports.push(await freePort());
  process.stdout.write(JSON.stringify(ports));
`;

describe('a free port', () => {
  it('is given to one caller only for a long time, though nobody listens on it yet', async () => {
    const ports = await Promise.all(Array.from({ length: PORTS }, () => freePort()));
    expect(new Set(ports).size).toBe(PORTS);
    for (const port of ports.slice(0, 3)) expect(await isPortInUse(port)).toBe(false);
  });

  it('is not given to another process that asks at the same time', async () => {
    const own = await Promise.all(Array.from({ length: PORTS }, () => freePort()));
    const theirs = JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }),
    ) as number[];
    expect(theirs).toHaveLength(PORTS);
    expect(own.filter((port) => theirs.includes(port))).toEqual([]);
  });

  it('is below those that outgoing connections take, in a row, too', async () => {
    expect(await freePort()).toBeLessThan(32_000);
    const first = await freePortsInARow(5);
    expect(first).toBeGreaterThanOrEqual(32_000);
    expect(first + 5).toBeLessThanOrEqual(32_768);
  });
});
