import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plantedCode } from './planted-code.ts';
import { type Planted, plantedImports } from './planted-imports.ts';
import { copyWorkspace, type WorkspaceCopy } from './workspace-copy.ts';

interface Diagnostic {
  readonly filename: string;
  readonly code?: string;
  readonly message: string;
}

const planted: readonly Planted[] = [...plantedImports, ...plantedCode];

/** Where the n-th violation and its neighbour are planted. */
const fileOf = (kind: 'refused' | 'accepted', index: number): string => {
  const { in: folder, suffix = '.ts' } = (planted[index] as Planted)[kind];
  return `${folder}/planted-${kind}-${index}${suffix}`;
};

let copy: WorkspaceCopy;
let found: ReadonlyMap<string, readonly Diagnostic[]>;

/** One run over everything that is planted: the linter starts once. */
beforeAll(async () => {
  copy = copyWorkspace();
  const files = planted.flatMap((pair, index) =>
    (['refused', 'accepted'] as const).map((kind) => {
      copy.plant(fileOf(kind, index), pair[kind].code);
      return fileOf(kind, index);
    }),
  );
  const cycle = planted.findIndex(({ rule }) => rule === 'import(no-cycle)');
  const here = fileOf('refused', cycle);
  copy.plant(
    here.replace(/[^/]+$/, 'there.ts'),
    `import { here } from './planted-refused-${cycle}.ts';\nexport const there = (): number => here() - 1;\n`,
  );
  const { stdout } = await copy.run('oxlint', '-f', 'json', ...files);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] };
  found = Map.groupBy(diagnostics, ({ filename }) => filename);
});

afterAll(() => copy.remove());

describe('lint refuses', () => {
  it.each(planted.map(({ title, rule }, index) => ({ title, rule, index })))('$title', ({ rule, index }) => {
    const rules = (found.get(fileOf('refused', index)) ?? []).map(({ code = '' }) => code);
    expect(rules).toContain(rule);
  });
});

describe('lint accepts the neighbour of', () => {
  it.each(planted.map(({ title }, index) => ({ title, index })))('$title', ({ index }) => {
    const complaints = (found.get(fileOf('accepted', index)) ?? []).map(({ code, message }) => `${code}: ${message}`);
    expect(complaints).toEqual([]);
  });
});

describe('the linter', () => {
  it('finds every planted violation and nothing else', () => {
    const violated = [...found.keys()].filter((file) => !file.endsWith('/there.ts')).sort();
    expect(violated).toEqual(planted.map((_, index) => fileOf('refused', index)).sort());
  });
});
