import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { topicsHeard } from '@millrace/shop';
import { repository } from './workspace-copy.ts';

/** Topic → groups, as the generated part of ARCHITECTURE.md has it from the code of the handlers. */
function heardBy(): Map<string, readonly string[]> {
  const page = readFileSync(join(repository, 'ARCHITECTURE.md'), 'utf8');
  const [, table = ''] = /<!-- generated:topics -->([\s\S]*?)<!-- \/generated:topics -->/.exec(page) ?? [];
  const rows = table.matchAll(/^\| `([^`]+)`(?:[^|]*\|){4}([^|]*)\|/gm);
  return new Map(
    [...rows].map(([, topic = '', groups = '']) => [
      topic,
      [...groups.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    ]),
  );
}

describe('the list of consumer groups that operations work with', () => {
  it('says of each topic which groups hear it, as the handlers do', () => {
    const written = heardBy();
    const listed = new Map(
      [...written.keys()].map((topic) => [
        topic,
        Object.entries(topicsHeard)
          .filter(([, topics]) => topics.includes(topic))
          .map(([group]) => group)
          .toSorted(),
      ]),
    );
    expect(written.size).toBeGreaterThan(0);
    expect(listed).toEqual(written);
    const known = new Set([...written.values()].flat());
    expect(Object.keys(topicsHeard).filter((group) => !known.has(group))).toEqual([]);
  });
});
