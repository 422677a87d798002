import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { OrderId } from '@millrace/contracts';
import { ApiProblems, toOpenApi, ZodParam } from '@millrace/service';
import { z } from 'zod';
import { timelineOf } from '../domain/timeline.ts';
import { OrderReader } from '../store/order-reader.ts';
import { orderNotFound } from './problems.ts';
import { TraceLinks } from './trace-links.ts';

const TimelineBody = z.object({
  orderId: OrderId,
  traceId: z.string().optional().describe('Finds the order in traces and logs'),
  traceUrl: z.url().optional().describe('Where to look at the trace of the order, if it was recorded'),
  entries: z
    .array(
      z.object({
        at: z.iso.datetime().describe('When it was said, by the clock of the service that said it'),
        service: z.string().describe('Who said it'),
        type: z.string(),
        kind: z.enum(['event', 'command', 'request', 'deadline']),
        direction: z.enum(['said', 'heard']).describe('As the order service sees it'),
        about: z.string().optional().describe('What the customer was told, such as order-confirmed'),
        sinceStartMs: z.int(),
        sinceLastMs: z.int().describe('How long this step took'),
      }),
    )
    .describe('In order of time'),
});

@ApiTags('orders')
@Controller('orders/:orderId/timeline')
export class TimelineController {
  readonly #orders: OrderReader;
  readonly #traces: TraceLinks;

  constructor(orders: OrderReader, traces: TraceLinks) {
    this.#orders = orders;
    this.#traces = traces;
  }

  @Get()
  @ApiOperation({
    operationId: 'getTimeline',
    summary: 'Every message of an order, who said it when, and how long each step took',
  })
  @ApiResponse({ status: 200, description: 'The timeline', schema: toOpenApi(TimelineBody, 'output') })
  @ApiProblems(400, 404, 503)
  async get(@ZodParam('orderId', OrderId) orderId: OrderId): Promise<z.input<typeof TimelineBody>> {
    const story = await this.#orders.storyOf(orderId);
    if (story === undefined) throw orderNotFound(orderId);
    return {
      orderId,
      ...this.#traces.of(story.traceparent),
      entries: [...timelineOf('order', story.history, story.notifications)],
    };
  }
}
