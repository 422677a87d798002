import { Controller, Get, Headers, HttpStatus, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { OrderId } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { ApiProblems, invalidRequest, ZodParam } from '@millrace/service';
import type { FastifyReply } from 'fastify';
import { hasEnded } from '../../checkout/domain/order.ts';
import { findStatusNews } from '../store/status-reader.ts';
import { orderNotFound, tooManyStreams } from './problems.ts';
import { StatusStreams } from './status-streams.ts';

// No order comes near it, and PostgreSQL's integer holds it.
const VERSION = /^\d{1,9}$/;

@ApiTags('orders')
@Controller('orders/:orderId/stream')
export class StreamController {
  readonly #database: Database;
  readonly #streams: StatusStreams;

  constructor(database: Database, streams: StatusStreams) {
    this.#database = database;
    this.#streams = streams;
  }

  @Get()
  @ApiOperation({
    operationId: 'streamOrder',
    summary: 'The status of an order as it changes, until its end',
    description:
      'Server-sent events, one `status` event per change, beginning with those that have been. Its id is the version of ' +
      'the order. The stream ends with the order; who then connects again with the last id gets 204, at which browsers stop.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The id of the last event that was received' })
  @ApiResponse({
    status: 200,
    description: 'The events',
    content: {
      'text/event-stream': {
        schema: { type: 'string' },
        example: 'id: 2\nevent: status\ndata: {"orderId":"…","status":"confirmed","version":2,"at":"…"}\n\n',
      },
    },
  })
  @ApiResponse({ status: 204, description: 'The order has ended and every event was received' })
  @ApiProblems(400, 404, 503)
  async stream(
    @ZodParam('orderId', OrderId) orderId: OrderId,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const seenVersion = versionOf(lastEventId);
    if (!this.#streams.hasRoom) throw tooManyStreams();
    const [news] = await findStatusNews(this.#database, new Map([[orderId, 0]]));
    if (news === undefined) throw orderNotFound(orderId);
    const latest = news.changes.at(-1);
    if (latest !== undefined && hasEnded(latest.status) && latest.version <= seenVersion) {
      await reply.status(HttpStatus.NO_CONTENT).send();
      return;
    }
    // Others may have come while the database was asked.
    if (!this.#streams.hasRoom) throw tooManyStreams();
    reply.hijack();
    this.#streams.open(reply.raw, reply.getHeaders() as Record<string, string>, news, seenVersion);
  }
}

function versionOf(lastEventId: string | undefined): number {
  if (lastEventId === undefined || lastEventId === '') return 0;
  if (VERSION.test(lastEventId)) return Number(lastEventId);
  throw invalidRequest([
    { path: 'Last-Event-ID', message: 'expected the id of an event of this stream; leave it out to get all events' },
  ]);
}
