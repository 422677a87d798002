import { Injectable } from '@nestjs/common';
import { type NotificationModel as NotificationRow } from '../../generated/prisma/models.ts';
import { PrismaClient } from '../../generated/prisma/client.ts';

/** Where a page ends: the sort key of its last row. */
export interface PageEnd {
  readonly recordedAt: Date;
  readonly orderId: string;
  readonly kind: string;
}

export interface NotificationFilter {
  readonly orderId?: string | undefined;
  readonly recipient?: string | undefined;
}

export type { NotificationRow };

/** Answers what was sent to whom. */
@Injectable()
export class NotificationQueries {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  /** At most `limit` notifications, the newest first, beginning after `after`. */
  page(
    { orderId, recipient }: NotificationFilter,
    limit: number,
    after: PageEnd | undefined,
  ): Promise<NotificationRow[]> {
    return this.#prisma.notification.findMany({
      where: {
        ...(orderId === undefined ? {} : { orderId }),
        ...(recipient === undefined ? {} : { recipient }),
        ...(after === undefined ? {} : { OR: olderThan(after) }),
      },
      orderBy: [{ recordedAt: 'desc' }, { orderId: 'desc' }, { kind: 'desc' }],
      take: limit,
    });
  }
}

function olderThan({ recordedAt, orderId, kind }: PageEnd) {
  return [
    { recordedAt: { lt: recordedAt } },
    { recordedAt, orderId: { lt: orderId } },
    { recordedAt, orderId, kind: { lt: kind } },
  ];
}
