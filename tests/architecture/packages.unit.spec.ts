import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { copyWorkspace, type WorkspaceCopy } from './workspace-copy.ts';

let copy: WorkspaceCopy;
beforeAll(() => {
  copy = copyWorkspace();
});
afterEach(() => copy.uproot());
afterAll(() => copy.remove());

/** Lets a package of the copy depend on one more. */
function dependOn(folder: string, name: string): void {
  const path = `${folder}/package.json`;
  const manifest = JSON.parse(readFileSync(join(copy.root, path), 'utf8')) as { dependencies?: Record<string, string> };
  copy.plant(path, JSON.stringify({ ...manifest, dependencies: { ...manifest.dependencies, [name]: 'workspace:*' } }));
}

describe('package boundaries', () => {
  /** Everything that `turbo boundaries` complains about, without its drawing. */
  const complaints = async (): Promise<string> => (await copy.run('turbo', 'boundaries')).text.replace(/[\s|]+/g, ' ');

  it('hold in the whole repository', async () => {
    const { exitCode, text } = await copy.run('turbo', 'boundaries');
    expect({ exitCode, text }).toMatchObject({ exitCode: 0, text: expect.stringContaining('no issues found') });
  });

  it('refuse a service that depends on another', async () => {
    dependOn('apps/order', '@millrace/payment');
    expect(await complaints()).toContain(
      '`@millrace/payment` found without any tag listed in allowlist for `@millrace/order`',
    );
  });

  it('refuse a service that depends on what runs it', async () => {
    dependOn('apps/order', '@millrace/embedded');
    expect(await complaints()).toContain(
      '`@millrace/embedded` found without any tag listed in allowlist for `@millrace/order`',
    );
  });

  it('refuse a library that depends on a service', async () => {
    dependOn('libs/service', '@millrace/order');
    expect(await complaints()).toContain(
      '`@millrace/order` found without any tag listed in allowlist for `@millrace/service`',
    );
  });

  it('refuse contracts that depend on a library', async () => {
    dependOn('libs/contracts', '@millrace/database');
    expect(await complaints()).toContain(
      '`@millrace/database` found with tag listed in denylist for `@millrace/contracts`',
    );
  });

  it('refuse an import that package.json does not declare, and accept one that it does', async () => {
    copy.plant('apps/order/src/orders/planted-refused.ts', `export { v7 } from 'uuid';\n`);
    copy.plant('apps/order/src/orders/planted-accepted.ts', `export { z } from 'zod';\n`);
    const text = await complaints();
    expect(text).toContain('cannot import package `uuid` because it is not a dependency');
    expect(text).not.toContain('planted-accepted');
  });

  it('refuse an import that leaves the package, and accept one that stays', async () => {
    copy.plant('apps/order/src/planted-refused.ts', `export * from '../../payment/src/config.ts';\n`);
    copy.plant('apps/order/src/planted-accepted.ts', `export * from './config.ts';\n`);
    const text = await complaints();
    expect(text).toContain('`../../payment/src/config.ts` leaves the package');
    expect(text).not.toContain('planted-accepted');
  });
});

describe('the check for what is unused', () => {
  interface Issue {
    readonly file: string;
    readonly files: readonly { readonly name: string }[];
    readonly exports: readonly { readonly name: string }[];
    readonly dependencies: readonly { readonly name: string }[];
    readonly unlisted: readonly { readonly name: string }[];
  }

  /** What knip complains about, as `kind: file: name`. */
  async function unused(): Promise<readonly string[]> {
    const { stdout } = await copy.run('knip', '--reporter', 'json', '--no-config-hints');
    const { issues } = JSON.parse(stdout) as { issues: readonly Issue[] };
    const kinds = ['files', 'exports', 'dependencies', 'unlisted'] as const;
    return issues.flatMap((issue) =>
      kinds.flatMap((kind) => issue[kind].map(({ name }) => `${kind}: ${issue.file}: ${name}`)),
    );
  }

  it('refuses files, exports and dependencies that nobody uses, also across packages', async () => {
    const index = readFileSync(join(copy.root, 'libs/contracts/src/index.ts'), 'utf8');
    const planted = 'export const plantedRefused = 1;\nexport const plantedAccepted = 2;\n';
    copy.plant('libs/contracts/src/index.ts', `${index}export * from './planted.ts';\n`);
    copy.plant('libs/contracts/src/planted.ts', planted);
    copy.plant('apps/order/src/orders/planted.ts', planted);
    copy.plant('apps/order/src/orders/planted-file.ts', planted);
    copy.plant(
      'apps/order/src/orders/planted.unit.spec.ts',
      `import { plantedAccepted } from '@millrace/contracts';\nimport { plantedAccepted as own } from './planted.ts';\n` +
        `import { v7 } from 'uuid';\nexport const sum = [plantedAccepted, own, v7];\n`,
    );
    dependOn('apps/order', 'picocolors');
    const found = await unused();
    expect(found).toEqual(
      expect.arrayContaining([
        'exports: libs/contracts/src/planted.ts: plantedRefused',
        'exports: apps/order/src/orders/planted.ts: plantedRefused',
        'files: apps/order/src/orders/planted-file.ts: apps/order/src/orders/planted-file.ts',
        'dependencies: apps/order/package.json: picocolors',
        'unlisted: apps/order/src/orders/planted.unit.spec.ts: uuid',
      ]),
    );
    expect(
      found.filter((line) => line.endsWith('plantedAccepted') || line === 'dependencies: apps/order/package.json: zod'),
    ).toEqual([]);
  });
});

describe('the type check', () => {
  it('refuses what the strict options refuse and accepts what they accept', async () => {
    const options = JSON.stringify({ extends: './tsconfig.json', include: ['apps/order/src/orders/planted-*.ts'] });
    copy.plant('tsconfig.planted.json', options);
    copy.plant(
      'apps/order/src/orders/planted-refused.ts',
      [
        `const prices: readonly number[] = [];`,
        `export const unchecked: number = prices[0];`,
        `export const exact: { readonly note?: string } = { note: undefined };`,
        `export const text: string = 1;`,
        `export function implicit(row) {\n  return row as unknown;\n}`,
        '',
      ].join('\n'),
    );
    copy.plant(
      'apps/order/src/orders/planted-accepted.ts',
      `const prices: readonly number[] = [];\nexport const checked: number | undefined = prices[0];\n`,
    );
    const { exitCode, stdout } = await copy.run('tsc', '-p', 'tsconfig.planted.json');
    const errors = [...stdout.matchAll(/^(\S+)\((\d+),\d+\): error (TS\d+)/gm)].map(
      ([, file, line, code]) => `${file}:${line} ${code}`,
    );
    const refused = 'apps/order/src/orders/planted-refused.ts';
    expect(errors).toEqual([
      `${refused}:2 TS2322`,
      `${refused}:3 TS2375`,
      `${refused}:4 TS2322`,
      `${refused}:5 TS7006`,
    ]);
    expect(exitCode).not.toBe(0);
  });
});

describe('the formatter', () => {
  it('refuses a file that is not formatted and accepts one that is', async () => {
    copy.plant('apps/order/src/orders/planted-refused.ts', `export const name = "order"\n`);
    copy.plant('apps/order/src/orders/planted-accepted.ts', `export const name = 'order';\n`);
    const { exitCode, text } = await copy.run('oxfmt', '--check', 'apps/order/src/orders');
    expect(exitCode).not.toBe(0);
    expect(text).toContain('planted-refused.ts');
    expect(text).not.toContain('planted-accepted.ts');
  });
});
