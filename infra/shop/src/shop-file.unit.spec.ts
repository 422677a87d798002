import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readShopFile, type ShopFile, writeShopFile } from './shop-file.ts';

const shop = {
  pid: process.pid,
  brokers: ['127.0.0.1:19092'],
  databases: { order: 'postgresql://order:secret@127.0.0.1:15432/order' },
  urls: { order: 'http://127.0.0.1:8080' },
} as unknown as ShopFile;

function inFolder(test: (dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-shop-file-'));
  try {
    test(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe('the word that a shop leaves in its folder', () => {
  it('tells the tools where everything is, and its owner only, until the shop ends', () => {
    inFolder((dir) => {
      const forget = writeShopFile(dir, shop);
      expect(readShopFile(dir)).toEqual(shop);
      expect(statSync(join(dir, 'shop.json')).mode & 0o777).toBe(0o600);
      expect(readdirSync(dir)).toEqual(['shop.json']);
      forget();
      expect(readShopFile(dir)).toBeUndefined();
    });
  });

  it('is not believed when its process is gone', () => {
    inFolder((dir) => {
      writeShopFile(dir, shop);
      const file = join(dir, 'shop.json');
      writeFileSync(file, readFileSync(file, 'utf8').replace(String(process.pid), '4194399'));
      expect(readShopFile(dir)).toBeUndefined();
    });
  });

  it('is missing where nobody works', () => {
    expect(readShopFile(join(tmpdir(), 'millrace-nobody-works-here'))).toBeUndefined();
  });
});
