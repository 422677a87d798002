import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '@millrace/shop';

const appsFolder = join(import.meta.dirname, '..', '..', '..', '..', 'apps');

/** Where a service lives in the repository. */
export function serviceFolder(service: ServiceName): string {
  return join(appsFolder, service);
}

/** A built entry of a service, such as `main` or `seed`. Throws with what to do when it was not built. */
export function serviceEntry(service: ServiceName, entry: string): string {
  const file = join(serviceFolder(service), 'dist', `${entry}.js`);
  if (!existsSync(file))
    throw new Error(`${file} is missing: the ${service} service is not built. Run: npx -y pnpm@12 build`);
  return file;
}
