import { Sku } from '@millrace/contracts';
import { z } from 'zod';

/** Where a page of products ends, as text that only this service reads. */
export function cursorAfter(sku: Sku): string {
  return Buffer.from(sku).toString('base64url');
}

/** The sku that a cursor stands for; anything that `cursorAfter` did not make is refused. */
export const Cursor = z.string().transform((cursor, context): Sku => {
  const sku = Sku.safeParse(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (sku.success && cursorAfter(sku.data) === cursor) return sku.data;
  context.addIssue({ code: 'custom', message: 'expected the `next` of an earlier page' });
  return z.NEVER;
});
