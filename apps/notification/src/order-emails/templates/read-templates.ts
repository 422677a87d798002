import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NotificationKind } from '@millrace/contracts';
import { placeholders, type Templates } from '../domain/order-mail.ts';
import { parseTemplate, type Template } from '../domain/template.ts';

/**
 * Reads `<kind>.txt` of every kind from the directory. Throws one `Error` that tells everything that is missing or wrong,
 * so that a service never starts with a mail that it could not write.
 */
export function readTemplates(directory: string): Templates {
  const wrongs: string[] = [];
  const read = <Kind extends NotificationKind>(
    kind: Kind,
  ): Template<(typeof placeholders)[Kind][number]> | undefined => {
    try {
      return parseTemplate(`${kind}.txt`, readFileSync(join(directory, `${kind}.txt`), 'utf8'), placeholders[kind]);
    } catch (error) {
      wrongs.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  const confirmed = read('order-confirmed');
  const cancelled = read('order-cancelled');
  const dispatched = read('order-dispatched');
  if (confirmed === undefined || cancelled === undefined || dispatched === undefined) {
    throw new Error(`the mail templates cannot be used:\n  ${wrongs.join('\n  ')}`);
  }
  return { 'order-confirmed': confirmed, 'order-cancelled': cancelled, 'order-dispatched': dispatched };
}
