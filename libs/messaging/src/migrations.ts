import { fileURLToPath } from 'node:url';

/** The directory of the migrations that create the messaging tables; every service applies it before its own. */
export const messagingMigrations = fileURLToPath(new URL('../prisma/migrations', import.meta.url));
