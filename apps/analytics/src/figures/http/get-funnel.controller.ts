import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, toOpenApi } from '@millrace/service';
import { z } from 'zod';
import { STEPS } from '../domain/deltas.ts';
import { FiguresQueries } from '../store/figures.queries.ts';

const FunnelAnswer = z.object({
  steps: z
    .array(z.object({ step: z.enum(STEPS), orders: z.int() }))
    .describe('How many orders came how far, in the order of the way.'),
  cancellations: z.array(z.object({ reason: z.string(), orders: z.int() })).describe('Most frequent first.'),
  refusals: z
    .array(z.object({ by: z.enum(['inventory', 'payment', 'shipping']), reason: z.string(), orders: z.int() }))
    .describe('What the other services said no to: by service, most frequent first.'),
});

const REFUSALS = {
  'stock-rejected': 'inventory',
  'payment-declined': 'payment',
  'shipment-refused': 'shipping',
} as const;

@ApiTags('figures')
@Controller('funnel')
export class GetFunnelController {
  readonly #queries: FiguresQueries;

  constructor(queries: FiguresQueries) {
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'How many orders reached each step, and why the others did not' })
  @ApiOkResponse({ schema: toOpenApi(FunnelAnswer, 'output') })
  @ApiProblems(503)
  async funnel(): Promise<z.infer<typeof FunnelAnswer>> {
    const tallies = await this.#queries.tallies([
      'step',
      'cancellation',
      'stock-rejected',
      'payment-declined',
      'shipment-refused',
    ]);
    const of = (subject: string) => tallies.filter((tally) => tally.subject === subject);
    const steps = new Map(of('step').map(({ item, times }) => [item, times]));
    return {
      steps: STEPS.map((step) => ({ step, orders: steps.get(step) ?? 0 })),
      cancellations: of('cancellation').map(({ item, times }) => ({ reason: item, orders: times })),
      refusals: Object.entries(REFUSALS).flatMap(([subject, by]) =>
        of(subject).map(({ item, times }) => ({ by, reason: item, orders: times })),
      ),
    };
  }
}
