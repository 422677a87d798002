import { join } from 'node:path';
import { createLogger } from '@millrace/observability';
import { ConfigError } from '@millrace/service';
import { appModule } from './app.module.ts';
import { SeedFileError } from './catalog/domain/seed-file.ts';
import { seedCatalog } from './catalog/seed-catalog.ts';
import { readConfig } from './config.ts';

// `node dist/seed.js [file]`; the file that comes with the service lies beside src and dist.
const file = process.argv[2] ?? join(import.meta.dirname, '../seed/catalog.json');

try {
  const config = readConfig();
  const logger = createLogger({ service: 'inventory', level: config.LOG_LEVEL, pretty: config.LOG_PRETTY });
  const { listed, knownBefore } = await seedCatalog(file, appModule(config));
  const rest = knownBefore === 0 ? '' : `, ${knownBefore} were listed before and stay as they are`;
  logger.info({ file, listed, knownBefore }, `listed ${listed} product(s)${rest}`);
} catch (error) {
  if (error instanceof SeedFileError) {
    process.stderr.write(`${file} cannot be used, nothing was listed:\n${error.message}\n`);
  } else if (error instanceof ConfigError) {
    process.stderr.write(`inventory cannot be seeded. ${error.message}\n`);
  } else {
    throw error;
  }
  process.exitCode = 1;
}
