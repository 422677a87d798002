import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Options, transformSync } from '@swc/core';
import type { PlantedBug } from './planted-bug.ts';

const repository = join(import.meta.dirname, '../..');
const library = join(repository, 'libs/messaging');

/** A folder with the service and the library it runs on: `node <folder>/service/main.js` starts it. */
export interface Build {
  readonly folder: string;
}

interface Swcrc extends Omit<Options, 'exclude'> {
  readonly exclude?: readonly string[];
}

const swcrc = JSON.parse(readFileSync(join(repository, '.swcrc'), 'utf8')) as Swcrc;
const isLeftOut = (file: string): boolean =>
  (swcrc.exclude ?? []).some((pattern) => new RegExp(pattern).test(`/${file}`));

/** Builds the service and libs/messaging as they are. The other libraries are used as they were built. */
export function build(folder: string): Build {
  for (const file of globSync('**/*.ts', { cwd: join(library, 'src') })) {
    if (!isLeftOut(file)) compile(join(library, 'src', file), join(folder, 'messaging/dist', file));
  }
  cpSync(join(library, 'package.json'), join(folder, 'messaging/package.json'));
  symlinkSync(join(library, 'node_modules'), join(folder, 'messaging/node_modules'));
  const service = join(import.meta.dirname, 'service');
  for (const file of globSync('*.ts', { cwd: service })) compile(join(service, file), join(folder, 'service', file));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  linkPackages(folder);
  return { folder };
}

/**
 * A copy of a build with a bug in it.
 * @throws {Error} the bug's `find` does not stand exactly once in its file: the code moved on and the bug must follow.
 */
export function buildWith(bug: PlantedBug, sound: Build, folder: string): Build {
  mkdirSync(folder, { recursive: true });
  for (const part of ['service', 'messaging', 'package.json']) {
    cpSync(join(sound.folder, part), join(folder, part), { recursive: true, verbatimSymlinks: true });
  }
  linkPackages(folder);
  compile(join(library, 'src', bug.file), join(folder, 'messaging/dist', bug.file), planted(bug));
  return { folder };
}

/** The source of the bug's file with the bug in it. Throws as `buildWith`. */
export function planted({ name, file, find, replace }: PlantedBug): string {
  const source = readFileSync(join(library, 'src', file), 'utf8');
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(
      `the planted bug "${name}" does not fit any more: ${JSON.stringify(find)} stands ${more.length + (after === undefined ? 0 : 1)} times in libs/messaging/src/${file}, not once`,
    );
  }
  return before + replace + after;
}

function compile(source: string, target: string, text = readFileSync(source, 'utf8')): void {
  const { exclude: _, ...options } = swcrc;
  const { code } = transformSync(text, { ...options, filename: source, swcrc: false, sourceMaps: 'inline' });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target.replace(/\.ts$/, '.js'), code);
}

/** What the tests may import, with one exception: `@millrace/messaging` is the one of this build. */
function linkPackages(folder: string): void {
  const installed = join(repository, 'tests/node_modules');
  const linked = join(folder, 'node_modules');
  mkdirSync(join(linked, '@millrace'), { recursive: true });
  for (const name of readdirSync(installed)) {
    if (name !== '@millrace') symlinkSync(join(installed, name), join(linked, name));
  }
  for (const name of readdirSync(join(installed, '@millrace'))) {
    const target = name === 'messaging' ? join(folder, 'messaging') : join(installed, '@millrace', name);
    symlinkSync(target, join(linked, '@millrace', name));
  }
}
