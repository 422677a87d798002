import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { format, type FormatOptions } from 'oxfmt';

export const root = join(import.meta.dirname, '../..');

const style = JSON.parse(readFileSync(join(root, '.oxfmtrc.json'), 'utf8')) as FormatOptions;

/** The text as the formatter leaves it, which would change it at the next run otherwise. */
export async function formatted(name: string, text: string): Promise<string> {
  const { code, errors } = await format(name, text, style);
  if (errors.length > 0) throw new Error(`${name} cannot be formatted: ${JSON.stringify(errors)}`);
  return code;
}

export function json(value: unknown): Promise<string> {
  return formatted('file.json', JSON.stringify(value));
}

/** Makes a folder hold these files and no others, or only tells which differ. */
export function keepFolder(folder: string, wanted: ReadonlyMap<string, string>, isCheck: boolean): readonly string[] {
  const present = existsSync(folder) ? readdirSync(folder) : [];
  const stale = new Set(present.filter((name) => !wanted.has(name)));
  for (const [name, text] of wanted) {
    const file = join(folder, name);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) stale.add(name);
  }
  if (!isCheck) {
    for (const name of stale) {
      const text = wanted.get(name);
      if (text === undefined) rmSync(join(folder, name));
      else write(join(folder, name), text);
    }
  }
  return [...stale].map((name) => relative(root, join(folder, name)));
}

export function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
