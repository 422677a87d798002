import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { NotificationKind, OrderId } from '@millrace/contracts';
import { ApiProblems, toOpenApi, ZodQuery } from '@millrace/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { NotificationQueries, type NotificationRow } from '../store/notification.queries.ts';
import { Cursor, cursorAfter } from './cursor.ts';

const MAX_PAGE_SIZE = 200;

const PageQuery = z.object({
  orderId: OrderId.optional().describe('Only about this order.'),
  recipient: z.email().max(254).optional().describe('Only to this address.'),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(50).describe('Notifications per page.'),
  after: Cursor.optional().describe('The `next` of the page before.'),
});
type PageQuery = z.output<typeof PageQuery>;

const NotificationPage = z.object({
  notifications: z
    .array(
      z.object({
        orderId: z.uuid(),
        kind: NotificationKind,
        status: z.enum(['sent', 'failed']),
        recipient: z.string(),
        messageId: z.uuid().describe('Of the event that led to the mail; its Message-ID begins with it.'),
        recordedAt: z.iso.datetime(),
        reason: z.string().optional().describe('What the mail server said when it refused.'),
      }),
    )
    .describe('The newest first.'),
  next: z.string().optional().describe('What to give as `after` for the next page; absent on the last.'),
});
type NotificationPage = z.output<typeof NotificationPage>;

/** Who was told what. */
@ApiTags('notifications')
@Controller('notifications')
export class ListNotificationsController {
  readonly #queries: NotificationQueries;

  constructor(queries: NotificationQueries) {
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'Which customer was told what, page by page' })
  @ApiOkResponse({ schema: toOpenApi(NotificationPage, 'output') })
  @ApiProblems(400, 503)
  async list(
    @ZodQuery(PageQuery) query: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NotificationPage> {
    // One more than asked for tells whether there is a next page.
    const found = await this.#queries.page(query, query.limit + 1, query.after);
    const notifications = found.slice(0, query.limit).map(viewOf);
    const last = found[query.limit - 1];
    if (found.length <= query.limit || last === undefined) return { notifications };
    const next = cursorAfter(last);
    reply.header('link', `</notifications?${sameList(query, next).toString()}>; rel="next"`);
    return { notifications, next };
  }
}

function sameList({ orderId, recipient, limit }: PageQuery, after: string): URLSearchParams {
  return new URLSearchParams({
    ...(orderId === undefined ? {} : { orderId }),
    ...(recipient === undefined ? {} : { recipient }),
    limit: String(limit),
    after,
  });
}

function viewOf(row: NotificationRow): NotificationPage['notifications'][number] {
  const { orderId, kind, status, recipient, messageId, recordedAt, reason } = row;
  return {
    orderId,
    kind: NotificationKind.parse(kind),
    status: status === 'sent' ? 'sent' : 'failed',
    recipient,
    messageId,
    recordedAt: recordedAt.toISOString(),
    ...(reason === null ? {} : { reason }),
  };
}
