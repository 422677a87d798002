import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { NotificationKind } from '@millrace/contracts';
import { ApiProblems, toOpenApi } from '@millrace/service';
import { z } from 'zod';
import { FiguresQueries } from '../store/figures.queries.ts';

const MessagesAnswer = z.object({
  messages: z.array(z.object({ type: z.string(), times: z.int() })).describe('Every event, most frequent type first.'),
  notifications: z.array(z.object({ kind: NotificationKind, sent: z.int(), failed: z.int() })),
});

@ApiTags('figures')
@Controller('messages')
export class GetMessagesController {
  readonly #queries: FiguresQueries;

  constructor(queries: FiguresQueries) {
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'How often each event was said, and what customers were told' })
  @ApiOkResponse({ schema: toOpenApi(MessagesAnswer, 'output') })
  @ApiProblems(503)
  async messages(): Promise<z.infer<typeof MessagesAnswer>> {
    const tallies = await this.#queries.tallies(['message', 'notification-sent', 'notification-failed']);
    const timesOf = (subject: string, item: string) =>
      tallies.find((tally) => tally.subject === subject && tally.item === item)?.times ?? 0;
    return {
      messages: tallies
        .filter(({ subject }) => subject === 'message')
        .map(({ item, times }) => ({ type: item, times })),
      notifications: NotificationKind.options.map((kind) => ({
        kind,
        sent: timesOf('notification-sent', kind),
        failed: timesOf('notification-failed', kind),
      })),
    };
  }
}
