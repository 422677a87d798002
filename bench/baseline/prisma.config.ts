import { defineConfig } from 'prisma/config';

// These insist on the native schema engine but never run it: any existing file will do. Not for `migrate`, which would
// exit 0 and do nothing with it; migrations are applied by src/migrate.ts.
if (process.argv.some((argument) => /^(generate|validate|format)$/.test(argument))) {
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;
}

export default defineConfig({ schema: 'prisma/schema.prisma', migrations: { path: 'prisma/migrations' } });
