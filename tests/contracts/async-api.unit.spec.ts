import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { repository } from '../architecture/workspace-copy.ts';

const folder = join(repository, 'docs/asyncapi');
const documents = readdirSync(folder);
const MINUTE_MS = 60_000;

// One planted fault each, in the shortest document.
const sound = readFileSync(join(folder, 'notification.json'), 'utf8');
const faults: readonly (readonly [string, string, string])[] = [
  ['an operation on a channel that there is not', '#/channels/notification-events-v1"', '#/channels/no-topic"'],
  ['an action that there is not', '"action": "send"', '"action": "shout"'],
  ['a schema that is none', '"type": "object"', '"type": "objekt"'],
];

let refused: readonly (readonly string[])[];

beforeAll(async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-asyncapi-'));
  try {
    const planted = faults.map(([, now, once], index) => {
      const file = join(scratch, `${index}.json`);
      writeFileSync(file, sound.replaceAll(now, once));
      return file;
    });
    const files = [...documents.map((name) => join(folder, name)), ...planted];
    const script = join(import.meta.dirname, 'validate-async-api.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...files]);
    refused = JSON.parse(stdout) as string[][];
  } finally {
    rmSync(scratch, { recursive: true });
  }
}, 3 * MINUTE_MS);

describe('the AsyncAPI document', () => {
  it('is there for every service', () => {
    expect(documents).toEqual(readdirSync(join(repository, 'apps')).map((service) => `${service}.json`));
  });

  it.each(documents)('%s is valid by the official parser', (name) => {
    expect(refused[documents.indexOf(name)]).toEqual([]);
  });

  it.each(faults)('is refused with %s', (what, now) => {
    expect(sound).toContain(now);
    const index = documents.length + faults.findIndex(([fault]) => fault === what);
    expect(refused[index]).not.toEqual([]);
  });
});
