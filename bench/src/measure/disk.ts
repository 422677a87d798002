import { join } from 'node:path';
import { readdir, stat } from 'node:fs/promises';
import type { System } from '../systems/system.ts';
import { asked } from './asked.ts';

/** What lies on the disk, in bytes. */
export interface DiskUse {
  /** Tables and indexes of all databases, after a checkpoint; not the write-ahead log, which is used again. */
  readonly postgres: number;
  /** Kafka's log segments and their indexes. */
  readonly kafka: number;
}

export async function diskUseOf(system: System): Promise<DiskUse> {
  await asked(system.postgresUrl, 'CHECKPOINT');
  const [row] = await asked<{ bytes: number }>(
    system.postgresUrl,
    'SELECT sum(pg_database_size(oid))::float8 AS bytes FROM pg_database',
  );
  return { postgres: row?.bytes ?? 0, kafka: await sizeOf(join(system.dir, 'kafka')) };
}

/** Blocks that are taken, not lengths: Kafka makes its index files longer than they are. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      // A segment may have been deleted between the two.
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ blocks }) => blocks * 512,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
