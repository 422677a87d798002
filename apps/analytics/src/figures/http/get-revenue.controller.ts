import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Currency } from '@millrace/contracts';
import { ApiProblems, invalidRequest, toOpenApi, ZodQuery } from '@millrace/service';
import { z } from 'zod';
import { exact, FiguresQueries } from '../store/figures.queries.ts';

const HOUR_MS = 60 * 60 * 1000;

// 1,440 minutes are a chart as wide as a screen; a longer time is asked for day by day.
const LONGEST_RANGE_MS = 24 * HOUR_MS;

const RevenueQuery = z.object({
  from: z.iso.datetime({ offset: true }).optional().describe('The first minute; an hour before `to` unless given.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Where the range ends, exclusive; now unless given.'),
  currency: Currency.optional().describe('Only this currency, such as EUR.'),
});

const RevenueAnswer = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  minutes: z
    .array(
      z.object({
        minute: z.iso.datetime(),
        currency: z.string(),
        placed: z.int(),
        confirmed: z.int(),
        completed: z.int(),
        cancelled: z.int(),
        revenueMinor: z.int().describe('Of the orders completed in this minute, in minor units.'),
      }),
    )
    .describe('Oldest first; a minute in which nothing happened is left out.'),
});

@ApiTags('figures')
@Controller('revenue')
export class GetRevenueController {
  readonly #queries: FiguresQueries;

  constructor(queries: FiguresQueries) {
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'Orders and revenue per minute, for a day at most' })
  @ApiOkResponse({ schema: toOpenApi(RevenueAnswer, 'output') })
  @ApiProblems(400, 503)
  async revenue(@ZodQuery(RevenueQuery) query: z.infer<typeof RevenueQuery>): Promise<z.infer<typeof RevenueAnswer>> {
    const to = query.to === undefined ? new Date() : new Date(query.to);
    const from = query.from === undefined ? new Date(to.getTime() - HOUR_MS) : new Date(query.from);
    refuseBadRange(from, to);
    const minutes = await this.#queries.orderMinutes(from, to, query.currency);
    return {
      from: from.toISOString(),
      to: to.toISOString(),
      minutes: minutes.map(({ minute, revenueMinor, ...counts }) => ({
        ...counts,
        minute: minute.toISOString(),
        revenueMinor: exact(revenueMinor),
      })),
    };
  }
}

function refuseBadRange(from: Date, to: Date): void {
  if (from >= to) throw invalidRequest([{ path: 'from', message: 'expected a time before `to`' }]);
  if (to.getTime() - from.getTime() > LONGEST_RANGE_MS) {
    throw invalidRequest([{ path: 'from', message: 'expected a time at most 24 hours before `to`' }]);
  }
}
