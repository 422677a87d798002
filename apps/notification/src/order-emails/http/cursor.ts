import { NotificationKind, OrderId } from '@millrace/contracts';
import { z } from 'zod';
import type { PageEnd } from '../store/notification.queries.ts';

const Parts = z.tuple([z.iso.datetime({ precision: 3 }), OrderId, NotificationKind]);

/** Where a page of notifications ends, as text that only this service reads. */
export function cursorAfter({ recordedAt, orderId, kind }: PageEnd): string {
  return Buffer.from([recordedAt.toISOString(), orderId, kind].join(' ')).toString('base64url');
}

/** The end that a cursor stands for; anything that `cursorAfter` did not make is refused. */
export const Cursor = z
  .string()
  .max(200)
  .transform((cursor, context): PageEnd => {
    const parts = Parts.safeParse(Buffer.from(cursor, 'base64url').toString('utf8').split(' '));
    if (parts.success) {
      const [recordedAt, orderId, kind] = parts.data;
      const end = { recordedAt: new Date(recordedAt), orderId, kind };
      if (cursorAfter(end) === cursor) return end;
    }
    context.addIssue({ code: 'custom', message: 'expected the `next` of an earlier page' });
    return z.NEVER;
  });
