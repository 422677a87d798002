import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Money, Sku } from '@millrace/contracts';
import { ApiProblems, toOpenApi, ZodParam, ZodQuery } from '@millrace/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { PLAIN_TEXT, PLAIN_TEXT_HINT } from '../domain/plain-text.ts';
import { ProductReader } from '../store/product-reader.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { nextPath, pageOf } from './links.ts';
import { cursor, limit, NEXT_LINK_HEADER } from './paging.ts';
import { invalidCursor, productNotFound } from './problems.ts';

const ProductBody = z.object({ sku: Sku, name: z.string(), price: Money });

const ProductList = z.object({
  products: z.array(ProductBody),
  next: z.string().optional().describe('The path of the next page, if there is one; also in the header Link'),
});

const ListProducts = z.strictObject({
  q: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(PLAIN_TEXT, PLAIN_TEXT_HINT)
    .optional()
    .describe('Only products with this text in their name or sku'),
  limit,
  cursor,
});
type ListProducts = z.infer<typeof ListProducts>;

@ApiTags('products')
@Controller('products')
export class ProductsController {
  readonly #products: ProductReader;

  constructor(products: ProductReader) {
    this.#products = products;
  }

  @Get()
  @ApiOperation({ operationId: 'listProducts', summary: 'What can be ordered, by sku' })
  @ApiResponse({
    status: 200,
    description: 'One page of products',
    headers: NEXT_LINK_HEADER,
    schema: toOpenApi(ProductList, 'output'),
  })
  @ApiProblems(400, 503)
  async list(
    @ZodQuery(ListProducts) query: ListProducts,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof ProductList>> {
    const list = `products with ${query.q ?? ''}`;
    const after = query.cursor === undefined ? undefined : decodeCursor(list, query.cursor);
    if (query.cursor !== undefined && !Sku.safeParse(after).success) throw invalidCursor();
    const found = await this.#products.list(query.limit + 1, after, query.q);
    const { items, lastKey } = pageOf(found, query.limit, ({ sku }) => sku);
    const products = [...items];
    if (lastKey === undefined) return { products };
    const next = nextPath('/products', { ...query, cursor: encodeCursor(list, lastKey) });
    void reply.header('link', `<${next}>; rel="next"`);
    return { products, next };
  }

  @Get(':sku')
  @ApiOperation({ operationId: 'getProduct', summary: 'One product' })
  @ApiResponse({ status: 200, description: 'The product', schema: toOpenApi(ProductBody, 'output') })
  @ApiProblems(400, 404, 503)
  async get(@ZodParam('sku', Sku) sku: Sku): Promise<z.input<typeof ProductBody>> {
    const product = await this.#products.find(sku);
    if (product === undefined) throw productNotFound(sku);
    return product;
  }
}
