import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyWorkspace, repository, type ToolRun, type WorkspaceCopy } from './workspace-copy.ts';

let copy: WorkspaceCopy;
beforeAll(() => {
  copy = copyWorkspace();
});
afterAll(() => copy.remove());

const metrics = readFileSync(join(repository, 'docs/metrics.md'), 'utf8');
const page = readFileSync(join(repository, 'ARCHITECTURE.md'), 'utf8');

const generate = (...args: readonly string[]): Promise<ToolRun> =>
  copy.run('node', '--conditions=@millrace/source', '--import', './tools/ts.mjs', 'tools/docs/generate.ts', ...args);

describe('the generated parts of ARCHITECTURE.md', () => {
  it('say what the code says', async () => {
    expect(await generate('--check')).toMatchObject({ exitCode: 0, text: '' });
  });

  it.each([
    ['a topic that is no more', '`catalog.events.v1`', '`catalogue.events.v1`'],
    ['an arrow of the checkout that is no more', 'AwaitingStock --> AwaitingPayment', 'AwaitingStock --> Completed'],
  ])('are refused with %s', async (_, now, once) => {
    copy.plant('stale.md', page.replace(now, once));
    const { exitCode, text } = await generate('--check', 'stale.md');
    expect(exitCode).toBe(1);
    expect(text).toContain('stale.md is not what the code says');
  });

  it('are written again from the code', async () => {
    copy.plant('stale.md', page.replaceAll('`order.checkout`', '`order.old-checkout`'));
    expect(await generate('stale.md')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(copy.root, 'stale.md'), 'utf8')).toBe(page);
  });
});

describe('the table in docs/metrics.md', () => {
  it.each([
    ['a metric that is no more', '`messaging_open_records`', '`messaging_waiting_records`'],
    ['a label that is no more', '`group`, `cause`', '`group`, `reason`'],
    ['a broker metric that is no more', '`kafka_request_queue_size`', '`kafka_queue_size`'],
  ])('is refused with %s', async (_, now, once) => {
    expect(metrics).toContain(now);
    copy.plant('stale.md', metrics.replace(now, once));
    const { exitCode, text } = await generate('--check', 'stale.md');
    expect(exitCode).toBe(1);
    expect(text).toContain('stale.md is not what the code says');
  });

  it('cannot miss a metric whose description is put together at run time', async () => {
    copy.plant('apps/order/src/hidden.metrics.ts', 'metrics.counter({ name: `order_${what}_total`, help });\n');
    const { exitCode, text } = await generate('--check');
    copy.plant('apps/order/src/hidden.metrics.ts', '');
    expect(exitCode).toBe(1);
    expect(text).toContain('apps/order/src/hidden.metrics.ts:1: a metric says its name, help and labels first');
  });
});
