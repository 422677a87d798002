import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyWorkspace, type WorkspaceCopy } from './workspace-copy.ts';

let copy: WorkspaceCopy;
beforeAll(() => {
  copy = copyWorkspace();
});
afterAll(() => copy.remove());

const refusedNames = async (): Promise<readonly string[]> => {
  const { stdout } = await copy.run('node', 'tools/lint/tree.mjs');
  return stdout.split('\n').flatMap((line) => line.split(':')[0] || []);
};

describe('the tree', () => {
  it('has no folder without a meaning and no spec without a level', async () => {
    expect(await refusedNames()).toEqual([]);
  });

  it.each(['common', 'shared', 'utils', 'core', 'helpers', 'misc'])(
    'refuses a folder named %s, wherever it is',
    async (name) => {
      copy.plant(`apps/order/src/checkout/${name}/planted.ts`, 'export const one = 1;\n');
      copy.plant(`apps/order/src/checkout/${name}-store/planted.ts`, 'export const one = 1;\n');
      const refused = await refusedNames();
      expect(refused).toContain(`apps/order/src/checkout/${name}`);
      expect(refused).not.toContain(`apps/order/src/checkout/${name}-store`);
    },
  );

  it('refuses a spec that does not tell its level', async () => {
    copy.plant('libs/contracts/src/planted.spec.ts', '');
    copy.plant('libs/contracts/src/planted.test.ts', '');
    for (const level of ['unit', 'contract', 'int', 'component', 'e2e', 'compose'])
      copy.plant(`libs/contracts/src/planted.${level}.spec.ts`, '');
    const refused = (await refusedNames()).filter((name) => name.startsWith('libs/contracts/src/planted'));
    expect(refused.toSorted()).toEqual(['libs/contracts/src/planted.spec.ts', 'libs/contracts/src/planted.test.ts']);
  });
});
