import { Money, Sku } from '@millrace/contracts';
import { ApiProblems, Problem, toOpenApi, ZodBody, ZodParam, ZodQuery } from '@millrace/service';
import { Controller, Get, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Catalog } from '../catalog.ts';
import { NewProduct } from '../domain/product.ts';
import { ProductQueries, type StockedProduct } from '../store/product-queries.ts';
import { Cursor, cursorAfter } from './cursor.ts';
import { ProductPage, ProductView, productViewOf, StockedProductView } from './product-views.ts';
import { unknownProduct } from './unknown-product.ts';

const MAX_PAGE_SIZE = 200;

const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(50).describe('products per page'),
  after: Cursor.optional().describe('the `next` of the page before'),
});
type PageQuery = z.output<typeof PageQuery>;

/** What can be ordered, at which price. */
@ApiTags('products')
@Controller('products')
export class ProductsController {
  readonly #catalog: Catalog;
  readonly #queries: ProductQueries;

  constructor(catalog: Catalog, queries: ProductQueries) {
    this.#catalog = catalog;
    this.#queries = queries;
  }

  @Get()
  @ApiOperation({ summary: 'All products with their stock, page by page' })
  @ApiResponse({ status: 200, schema: toOpenApi(ProductPage, 'output') })
  @ApiProblems(400, 503)
  async list(
    @ZodQuery(PageQuery) { limit, after }: PageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductPage> {
    // One more than asked for tells whether there is a next page.
    const found = await this.#queries.page(limit + 1, after);
    const products = found.slice(0, limit);
    const last = products.at(-1);
    if (found.length <= limit || last === undefined) return { products: products.map(stockedViewOf) };
    const next = cursorAfter(last.sku);
    reply.header('link', `</products?limit=${limit}&after=${next}>; rel="next"`);
    return { products: products.map(stockedViewOf), next };
  }

  @Get(':sku')
  @ApiOperation({ summary: 'One product with its stock' })
  @ApiResponse({ status: 200, schema: toOpenApi(StockedProductView, 'output') })
  @ApiProblems(400, 404, 503)
  async product(@ZodParam('sku', Sku) sku: Sku): Promise<StockedProductView> {
    const product = await this.#queries.product(sku);
    if (product === undefined) throw unknownProduct(sku);
    return stockedViewOf(product);
  }

  @Post()
  @ApiOperation({ summary: 'List a product and put its stock on the shelf' })
  @ApiResponse({ status: 201, schema: toOpenApi(StockedProductView, 'output') })
  @ApiProblems(400, 409, 413, 415, 503)
  async add(
    @ZodBody(NewProduct) product: NewProduct,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockedProductView> {
    const [listed] = await this.#catalog.list([product]);
    if (listed === undefined) throw alreadyListed(product.sku);
    reply.header('location', `/products/${product.sku}`);
    return stockedViewOf({ ...listed, onHand: product.stock, reserved: 0 });
  }

  @Put(':sku/price')
  @ApiOperation({
    summary: 'Change the price',
    description: 'Orders placed before keep the price they were placed at.',
  })
  @ApiResponse({ status: 200, schema: toOpenApi(ProductView, 'output') })
  @ApiProblems(400, 404, 413, 415, 503)
  async changePrice(@ZodParam('sku', Sku) sku: Sku, @ZodBody(Money) price: Money): Promise<ProductView> {
    const product = await this.#catalog.changePrice(sku, price);
    if (product === undefined) throw unknownProduct(sku);
    return productViewOf(product);
  }
}

function stockedViewOf(product: StockedProduct): StockedProductView {
  const { onHand, reserved } = product;
  return { ...productViewOf(product), stock: { onHand, reserved, available: onHand - reserved } };
}

function alreadyListed(sku: Sku): Problem {
  return new Problem({
    status: 409,
    type: 'already-listed',
    title: 'Already listed',
    detail: `${sku} is listed. Change its price with PUT /products/${sku}/price, add stock with POST /products/${sku}/stock.`,
  });
}
