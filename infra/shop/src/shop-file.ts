import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseUrls, ServiceUrls } from './running-shop.ts';

/** What a shop on this machine tells the tools about itself: where everything is, with passwords. */
export interface ShopFile {
  /** The process that runs the shop. */
  readonly pid: number;
  readonly brokers: readonly string[];
  readonly databases: DatabaseUrls;
  readonly urls: ServiceUrls;
}

const NAME = 'shop.json';

/**
 * Leaves word of a shop in its data folder, for its owner's eyes only, until the returned function is called. It appears as a whole or
 * not at all.
 */
export function writeShopFile(dir: string, { pid, brokers, databases, urls }: ShopFile): () => void {
  const file = join(dir, NAME);
  writeFileSync(`${file}.new`, `${JSON.stringify({ pid, brokers, databases, urls }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return () => rmSync(file, { force: true });
}

/** What the shop in a data folder said about itself; undefined when none runs there. */
export function readShopFile(dir: string): ShopFile | undefined {
  let text: string;
  try {
    text = readFileSync(join(dir, NAME), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const shop = JSON.parse(text) as ShopFile;
  // One that was killed left its word behind.
  return isAlive(shop.pid) ? shop : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
