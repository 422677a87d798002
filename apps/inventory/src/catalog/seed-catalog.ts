import { readFile } from 'node:fs/promises';
import { Database } from '@millrace/database';
import { type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Catalog } from './catalog.ts';
import { parseSeedFile, SeedFileError } from './domain/seed-file.ts';

/** How many products were new, and how many were listed before. */
export interface Seeded {
  readonly listed: number;
  readonly knownBefore: number;
}

/**
 * Lists the products of a seed file that are not listed yet, with their stock, in one transaction. What they say is stored and
 * sent by the running service, or by the next that starts. Needs the database only, and closes what it opens.
 * @throws {SeedFileError} the file cannot be used; nothing was listed.
 */
export async function seedCatalog(file: string, appModule: DynamicModule): Promise<Seeded> {
  const products = parseSeedFile(await textOf(file));
  const app = await NestFactory.createApplicationContext(appModule, { logger: ['error', 'warn'], abortOnError: false });
  try {
    const listed = await app.get(Catalog, { strict: false }).list(products);
    return { listed: listed.length, knownBefore: products.length - listed.length };
  } finally {
    await app.close();
    await app.get(Database, { strict: false }).close();
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new SeedFileError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
