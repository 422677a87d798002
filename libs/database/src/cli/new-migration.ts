#!/usr/bin/env node
import { NewMigrationError, writeNewMigration } from '../new-migration.ts';

// Run in a service's folder: `pnpm --filter @millrace/order migration:new add_coupons`
try {
  const path = await writeNewMigration({
    prismaDir: 'prisma',
    name: process.argv[2] ?? '',
    scratchUrl: process.env['DATABASE_URL'] ?? '',
    now: new Date(),
  });
  process.stdout.write(`${path} written: read it, add what Prisma cannot express (CHECK constraints), commit it\n`);
} catch (error) {
  if (!(error instanceof NewMigrationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
