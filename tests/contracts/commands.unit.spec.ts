import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { copyWorkspace, type ToolRun, type WorkspaceCopy } from '../architecture/workspace-copy.ts';

let copy: WorkspaceCopy;
beforeAll(() => {
  copy = copyWorkspace();
});
afterEach(() => copy.uproot());
afterAll(() => copy.remove());

const run = (tool: string, ...args: readonly string[]): Promise<ToolRun> =>
  copy.run(
    'node',
    '--conditions=@millrace/source',
    '--import',
    './tools/ts.mjs',
    `tools/contracts/${tool}.ts`,
    ...args,
  );

const MONEY = 'libs/contracts/src/money.ts';
const DECLINED = 'libs/contracts/src/payment/payment-declined.ts';
const read = (path: string): string => readFileSync(join(copy.root, path), 'utf8');

function change(path: string, now: string, once: string): void {
  const text = read(path);
  expect(text).toContain(now);
  copy.plant(path, text.replace(now, once));
}

describe('pnpm contracts:gate', () => {
  it('lets the present contracts pass', async () => {
    const { exitCode, text } = await run('gate');
    expect({ exitCode, text }).toEqual({
      exitCode: 0,
      text: expect.stringMatching(/against 0\.1\.0 .*: nothing breaks\n$/),
    });
  });

  it('stops a change that old readers cannot read: names the message, the field, who is hurt and what to do', async () => {
    change(DECLINED, "'insufficient-funds',", "'insufficient-funds', 'card-expired',");
    const { exitCode, text } = await run('gate');
    expect(exitCode).toBe(1);
    expect(text).toContain('✗ millrace.PaymentDeclined.v1  reason\n    enum-value-added  (old readers, new messages)');
    expect(text).toMatch(/→ make a v2: .*upcast, downcast/);
    const asJson = await run('gate', '--json');
    expect(JSON.parse(asJson.stdout)).toMatchObject([{ verdict: 'breaks', what: 'enum-value-added', field: 'reason' }]);
  });

  it('shows that messages which were really said would be refused', async () => {
    change(MONEY, 'z.int().nonnegative()', 'z.int().min(1_000_000)');
    const { exitCode, text } = await run('gate');
    expect(exitCode).toBe(1);
    expect(text).toContain('golden-message-refused  (new readers, old messages): in the story "an order is completed"');
    expect(text).toContain('narrowed-range  (new readers, old messages)');
  });
});

describe('pnpm contracts:generate', () => {
  it('finds with --check what is not what the contracts say, and changes nothing', async () => {
    change(DECLINED, 'The card was refused; nothing is held.', 'The card was refused, so nothing is held.');
    const page = read('docs/events/index.html');
    const { exitCode, text } = await run('generate', '--check');
    expect(exitCode).toBe(1);
    const stale = [
      'libs/contracts/schemas/PaymentDeclined.v1.json',
      ...['analytics', 'order', 'payment'].map((service) => `docs/asyncapi/${service}.json`),
      'docs/events/index.html',
    ];
    expect(text.split(':')[0]?.split(', ').toSorted()).toEqual(stale.toSorted());
    expect(read('docs/events/index.html')).toBe(page);
  });
});

describe('pnpm contracts:release', () => {
  it('keeps what there is under a new version, and never writes a version again', async () => {
    const { exitCode, text } = await run('release', '0.1.0');
    expect([exitCode, text]).toEqual([1, expect.stringContaining('never written again')]);
    expect(await run('release', '9.0.0')).toMatchObject({ exitCode: 0 });
    expect(read('libs/contracts/released/9.0.0/schemas/OrderPlaced.v1.json')).toBe(
      read('libs/contracts/schemas/OrderPlaced.v1.json'),
    );
    expect(existsSync(join(copy.root, 'libs/contracts/released/9.0.0/goldens.json'))).toBe(true);
    expect(await run('support', '9.0.0', 'messages')).toMatchObject({ exitCode: 0 });
    expect((await run('gate')).text).toContain('against 0.1.0 (full), 9.0.0 (messages): nothing breaks');
    expect((await run('release')).exitCode).toBe(2);
  });
});
