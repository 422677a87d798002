import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whenOrphaned } from './child.ts';

export interface TemporaryFolder {
  readonly path: string;
  /** Deletes it with all it holds; whatever works in it must have been stopped. */
  remove(): Promise<void>;
}

/** A new folder below the system's temporary one. It is deleted when this process ends, however it ends. */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `${prefix}-`));
  // The processes that wrote into it are killed in the same moment: they get time to be gone.
  const forget = whenOrphaned('sleep 1; rm -rf -- "$1"', [path]);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      forget();
    },
  };
}
