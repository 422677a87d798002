import type { Planted } from './planted-imports.ts';

const domain = 'apps/order/src/checkout/domain';
const orders = 'apps/order/src/orders';

const inDomain = (title: string, rule: string, refused: string, accepted: string): Planted => ({
  title: `a decision that ${title}`,
  rule,
  refused: { in: domain, code: refused },
  accepted: { in: domain, code: accepted },
});

const anywhere = (title: string, rule: string, refused: string, accepted: string): Planted => ({
  title,
  rule,
  refused: { in: orders, code: refused },
  accepted: { in: orders, code: accepted },
});

const inSpec = (title: string, rule: string, refused: string, accepted: string): Planted => {
  const spec = (body: string) => ({
    in: orders,
    suffix: '.unit.spec.ts',
    code: `import { expect, it } from '@jest/globals';\n\n${body}\n`,
  });
  return { title, rule, refused: spec(refused), accepted: spec(accepted) };
};

const holdsOne = `() => {\n  expect(1).toBe(1);\n}`;

/** What no file may do, and what a decision may not do. */
export const plantedCode: readonly Planted[] = [
  inDomain(
    'asks the clock with new Date()',
    'pure(no-current-time)',
    `export const isLate = (due: Date): boolean => due < new Date();\n`,
    `export const isLate = (due: Date, now: Date): boolean => new Date(due) < now;\n`,
  ),
  inDomain(
    'asks the clock with Date()',
    'pure(no-current-time)',
    `export const today = (): string => Date();\n`,
    `export const today = (now: Date): string => now.toISOString();\n`,
  ),
  inDomain(
    'asks the clock with Date.now()',
    'eslint(no-restricted-properties)',
    `export const isLate = (dueMs: number): boolean => dueMs < Date.now();\n`,
    `export const isLate = (dueMs: number): boolean => dueMs < Date.UTC(2026, 0, 1);\n`,
  ),
  inDomain(
    'asks the clock with performance',
    'eslint(no-restricted-globals)',
    `export const at = (): number => performance.now();\n`,
    `export const at = (performance: { now: () => number }): number => performance.now();\n`,
  ),
  inDomain(
    'throws dice',
    'eslint(no-restricted-properties)',
    `export const dice = (): number => Math.random();\n`,
    `export const larger = (a: number, b: number): number => Math.max(a, b);\n`,
  ),
  inDomain(
    'makes ids by itself',
    'eslint(no-restricted-globals)',
    `export const id = (): string => crypto.randomUUID();\n`,
    `export const id = ({ newId }: { newId: () => string }): string => newId();\n`,
  ),
  inDomain(
    'knows its process',
    'eslint(no-restricted-globals)',
    `export const where = (): string => process.cwd();\n`,
    `export const where = (process: { cwd: () => string }): string => process.cwd();\n`,
  ),
  inDomain(
    'goes round the ban on globals',
    'eslint(no-restricted-globals)',
    `export const where = (): string => globalThis.location.href;\n`,
    `export const where = (location: { href: string }): string => location.href;\n`,
  ),
  inDomain(
    'calls the network',
    'eslint(no-restricted-globals)',
    `export const ask = (): unknown => fetch('https://example.com');\n`,
    `export const ask = (fetched: unknown): unknown => fetched;\n`,
  ),
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((timer) =>
    inDomain(
      `uses ${timer}`,
      'eslint(no-restricted-globals)',
      `export const later = (work: () => void): unknown => ${timer}(work);\n`,
      `export const later = (work: () => void): unknown => [work];\n`,
    ),
  ),
  inDomain(
    'is asynchronous',
    'pure(no-await)',
    `export const decide = async (): Promise<number> => 1;\n`,
    `export const decide = (): number => 1;\n`,
  ),
  inDomain(
    'awaits',
    'pure(no-await)',
    `export const one: number = await (1 as unknown as PromiseLike<number>);\n`,
    `export const one: number = 1;\n`,
  ),
  inDomain(
    'makes promises',
    'eslint(no-restricted-globals)',
    `export const decide = (): unknown => Promise.resolve(1);\n`,
    `export const decide = (): unknown => [1].at(0);\n`,
  ),
  {
    title: 'the environment outside config.ts',
    rule: 'node(no-process-env)',
    refused: { in: orders, code: `export const home = process.env['HOME'];\n` },
    accepted: { in: 'apps/order/test', code: `export const home = process.env['HOME'];\n` },
  },
  anywhere(
    'a floating promise',
    'typescript(no-floating-promises)',
    `const work = async (): Promise<number> => 1;\nexport const start = (): void => {\n  work();\n};\n`,
    `const work = async (): Promise<number> => 1;\nexport const start = (): void => {\n  void work();\n};\n`,
  ),
  anywhere(
    'a promise taken for a condition',
    'typescript(no-misused-promises)',
    `const isOpen = async (): Promise<boolean> => true;\nexport const text = (): string => (isOpen() ? 'open' : 'shut');\n`,
    `const isOpen = (): boolean => true;\nexport const text = (): string => (isOpen() ? 'open' : 'shut');\n`,
  ),
  anywhere(
    'a promise where nobody waits for it',
    'typescript(no-misused-promises)',
    `export const all = (ids: string[], send: (id: string) => Promise<void>): void => ids.forEach(async (id) => send(id));\n`,
    `export const all = (ids: string[], send: (id: string) => void): void => ids.forEach((id) => send(id));\n`,
  ),
  anywhere(
    'a missing switch case',
    'typescript(switch-exhaustiveness-check)',
    `export function sign(side: 'in' | 'out'): number {\n  switch (side) {\n    case 'in':\n      return 1;\n  }\n  return 0;\n}\n`,
    `export function sign(side: 'in' | 'out'): number {\n  switch (side) {\n    case 'in':\n      return 1;\n    case 'out':\n      return -1;\n  }\n}\n`,
  ),
  anywhere(
    'any',
    'typescript(no-explicit-any)',
    `export const name = (row: any): unknown => row;\n`,
    `export const name = (row: unknown): unknown => row;\n`,
  ),
  anywhere(
    'a non-null assertion',
    'typescript(no-non-null-assertion)',
    `export const first = (list: readonly string[]): string => list[0]!;\n`,
    `export const first = (list: readonly string[]): string => list[0] ?? '';\n`,
  ),
  anywhere(
    'a thrown text',
    'typescript(only-throw-error)',
    `export const fail = (): never => {\n  throw 'no';\n};\n`,
    `export const fail = (): never => {\n  throw new Error('no');\n};\n`,
  ),
  anywhere('a default export', 'import(no-default-export)', `export default 1;\n`, `export const one = 1;\n`),
  anywhere(
    'a line on the console',
    'eslint(no-console)',
    `export const tell = (text: string): void => console.log(text);\n`,
    `export const tell = (logger: { info: (text: string) => void }, text: string): void => logger.info(text);\n`,
  ),
  anywhere(
    'a comparison with ==',
    'eslint(eqeqeq)',
    `export const same = (a: unknown, b: unknown): boolean => a == b;\n`,
    `export const same = (a: unknown, b: unknown): boolean => a === b;\n`,
  ),
  anywhere(
    'a switched-off rule that refuses nothing',
    '',
    `// oxlint-disable-next-line eqeqeq\nexport const one = 1;\n`,
    `// oxlint-disable-next-line eqeqeq\nexport const same = (a: unknown, b: unknown): boolean => a == b;\n`,
  ),
  inSpec('a lonely test', 'jest(no-focused-tests)', `it.only('holds', ${holdsOne});`, `it('holds', ${holdsOne});`),
  inSpec('a skipped test', 'jest(no-disabled-tests)', `it.skip('holds', ${holdsOne});`, `it('holds', ${holdsOne});`),
  inSpec(
    'a test that is commented out',
    'jest(no-commented-out-tests)',
    `it('holds', ${holdsOne});\n// it('holds more', () => {});`,
    `it('holds', ${holdsOne});\n// It holds one only.`,
  ),
  inSpec(
    'a test that proves nothing',
    'jest(expect-expect)',
    `it('holds', () => {\n  [expect].at(0);\n});`,
    `it('holds', ${holdsOne});`,
  ),
  inSpec(
    'a test title that says "should"',
    'jest(valid-title)',
    `it('should hold', ${holdsOne});`,
    `it('holds', ${holdsOne});`,
  ),
];
