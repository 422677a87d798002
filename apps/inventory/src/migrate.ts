import { join } from 'node:path';
import { migrateService } from '@millrace/service';

// Beside src when run from source, beside dist when built.
await migrateService('inventory', join(import.meta.dirname, '../prisma'));
