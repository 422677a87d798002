import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyContract, catalogue } from '../../libs/contracts/src/index.ts';
import { consumerGroups, type Group } from '../docs/service-map.ts';

/** One service as its own code tells: what it says, and what its groups hear. */
export interface Talk {
  readonly service: string;
  readonly says: readonly AnyContract[];
  readonly groups: readonly Group[];
}

/**
 * Who says and hears what. A service says a message where its code makes one by calling the contract; that it really does, its
 * component tests hold against what this answers.
 */
export async function talks(root: string): Promise<readonly Talk[]> {
  const groups = await consumerGroups(root);
  const sources = Map.groupBy(
    globSync('apps/*/src/**/*.ts', { cwd: root }).filter(
      (file) => !/\.(spec|examples|model)\.ts$|\/generated\//.test(file),
    ),
    (file) => file.split(/[/\\]/)[1] ?? '',
  );
  return [...sources]
    .map(([service, files]) => {
      const code = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
      return {
        service,
        says: catalogue.filter(({ type }) => new RegExp(`\\b${type}\\(`).test(code)),
        groups: groups.filter((group) => group.service === service && group.kind !== 'due'),
      };
    })
    .toSorted((a, b) => a.service.localeCompare(b.service));
}
