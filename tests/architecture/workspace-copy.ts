import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';

export const repository = join(import.meta.dirname, '../..');

/** What a tool said and how it ended. */
export interface ToolRun {
  readonly exitCode: number;
  readonly stdout: string;
  /** Standard output and standard error. */
  readonly text: string;
}

/** A throw-away copy of the repository in which rules can be broken: same sources, same configuration, same tools. */
export interface WorkspaceCopy {
  readonly root: string;
  /** Writes a file, its folders included; the path is relative to the root. */
  plant(path: string, text: string): void;
  /** Takes out everything that was planted: the copy is what it was. */
  uproot(): void;
  /** Runs an installed tool in the root of the copy. */
  run(tool: string, ...args: readonly string[]): Promise<ToolRun>;
  remove(): void;
}

// Build output is left out, as on a machine that has just cloned the repository; what is installed is linked, not copied.
const LEFT_OUT = new Set(['.git', '.millrace', '.turbo', 'coverage', 'dist']);

export function copyWorkspace(): WorkspaceCopy {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-architecture-'));
  const installed = join(repository, 'node_modules');
  cpSync(repository, root, {
    recursive: true,
    // The links of each package's node_modules are relative: they lead to the copy's own packages.
    verbatimSymlinks: true,
    filter: (path) => path !== installed && !LEFT_OUT.has(basename(path)) && basename(dirname(path)) !== '.bin',
  });
  symlinkSync(installed, join(root, 'node_modules'));
  const bin = join(installed, '.bin');
  const before = new Map<string, string | undefined>();
  return {
    root,
    plant(path, text) {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      if (!before.has(file)) before.set(file, existsSync(file) ? readFileSync(file, 'utf8') : undefined);
      writeFileSync(file, text);
    },
    uproot() {
      for (const [file, text] of before) {
        if (text === undefined) rmSync(file);
        else writeFileSync(file, text);
      }
      before.clear();
    },
    run: (tool, ...args) =>
      new Promise((resolve) => {
        const env = {
          ...process.env,
          PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
          TURBO_TELEMETRY_DISABLED: '1',
        };
        const options = { cwd: root, env, maxBuffer: 64 * 1024 * 1024 };
        const child = execFile(join(bin, tool), args, options, (_, stdout, stderr) => {
          resolve({ exitCode: child.exitCode ?? 1, stdout, text: stdout + stderr });
        });
      }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
