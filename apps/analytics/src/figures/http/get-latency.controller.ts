import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, toOpenApi } from '@millrace/service';
import { z } from 'zod';
import { TIMED_STEPS } from '../domain/deltas.ts';
import { ordersIn, percentileOf, RELATIVE_ERROR } from '../domain/latency-buckets.ts';
import { FiguresQueries } from '../store/figures.queries.ts';

const ms = z.number().nullable().describe('In ms; null when no order has come so far.');

const LatencyAnswer = z.object({
  relativeError: z.number().describe('What each percentile may be off by, relative to the true value.'),
  steps: z.array(
    z.object({
      step: z.enum(TIMED_STEPS).describe('Measured from when the order was placed.'),
      orders: z.int(),
      p50Ms: ms,
      p90Ms: ms,
      p95Ms: ms,
      p99Ms: ms,
    }),
  ),
});

@ApiTags('figures')
@Controller('latency')
export class GetLatencyController {
  readonly #queries: FiguresQueries;

  constructor(queries: FiguresQueries) {
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'How long orders take from placed to confirmed, dispatched and completed' })
  @ApiOkResponse({ schema: toOpenApi(LatencyAnswer, 'output') })
  @ApiProblems(503)
  async latency(): Promise<z.infer<typeof LatencyAnswer>> {
    const latencies = await this.#queries.latencies();
    return {
      relativeError: RELATIVE_ERROR,
      steps: TIMED_STEPS.map((step) => {
        const buckets = latencies.get(step) ?? [];
        const at = (share: number) => percentileOf(buckets, share) ?? null;
        return { step, orders: ordersIn(buckets), p50Ms: at(0.5), p90Ms: at(0.9), p95Ms: at(0.95), p99Ms: at(0.99) };
      }),
    };
  }
}
