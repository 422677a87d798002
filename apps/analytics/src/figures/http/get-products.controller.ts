import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Currency } from '@millrace/contracts';
import { ApiProblems, toOpenApi, ZodQuery } from '@millrace/service';
import { z } from 'zod';
import { exact, FiguresQueries } from '../store/figures.queries.ts';

const limit = z.coerce.number().int().min(1).max(100).default(10).describe('How many at most, 1 to 100.');

const TopProductsQuery = z.object({
  limit,
  currency: Currency.optional().describe('Only this currency, such as EUR.'),
});

const TopProductsAnswer = z.object({
  products: z
    .array(
      z.object({
        sku: z.string(),
        name: z.string(),
        currency: z.string(),
        units: z.int(),
        revenueMinor: z.int().describe('In minor units.'),
      }),
    )
    .describe('Of completed orders, most units first; a product sold in two currencies is there twice.'),
});

const StockOutsQuery = z.object({ limit });

const StockOutsAnswer = z.object({
  products: z
    .array(z.object({ sku: z.string(), orders: z.int(), lastAt: z.iso.datetime() }))
    .describe('How many orders were refused because the product was missing, most first.'),
});

@ApiTags('figures')
@Controller()
export class GetProductsController {
  readonly #queries: FiguresQueries;

  constructor(queries: FiguresQueries) {
    this.#queries = queries;
  }

  @Get('products/top')
  @ApiOperation({ summary: 'The products that sell best' })
  @ApiOkResponse({ schema: toOpenApi(TopProductsAnswer, 'output') })
  @ApiProblems(400, 503)
  async topProducts(
    @ZodQuery(TopProductsQuery) query: z.infer<typeof TopProductsQuery>,
  ): Promise<z.infer<typeof TopProductsAnswer>> {
    const sales = await this.#queries.topProducts(query.currency, query.limit);
    return {
      products: sales.map(({ sku, name, currency, units, revenueMinor }) => ({
        sku,
        name,
        currency,
        units: exact(units),
        revenueMinor: exact(revenueMinor),
      })),
    };
  }

  @Get('stock-outs')
  @ApiOperation({ summary: 'The products that customers wanted and could not get' })
  @ApiOkResponse({ schema: toOpenApi(StockOutsAnswer, 'output') })
  @ApiProblems(400, 503)
  async stockOuts(
    @ZodQuery(StockOutsQuery) query: z.infer<typeof StockOutsQuery>,
  ): Promise<z.infer<typeof StockOutsAnswer>> {
    const stockOuts = await this.#queries.stockOuts(query.limit);
    return {
      products: stockOuts.map(({ sku, times, lastAt }) => ({ sku, orders: times, lastAt: lastAt.toISOString() })),
    };
  }
}
