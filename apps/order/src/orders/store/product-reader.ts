import type { Money, Sku } from '@millrace/contracts';
import type { PrismaClient, Product } from '../../generated/prisma/client.ts';

/** A product as customers see it. */
export interface ProductView {
  readonly sku: Sku;
  readonly name: string;
  readonly price: Money;
}

/** Answers questions about the local copy of the catalog, which follows inventory's within moments. */
export class ProductReader {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  async find(sku: Sku): Promise<ProductView | undefined> {
    const product = await this.#prisma.product.findUnique({ where: { sku } });
    return product === null ? undefined : viewOf(product);
  }

  /** Products by sku, at most `limit`, after `after`; with `text` only those that have it in name or sku, in any case. */
  async list(limit: number, after: string | undefined, text: string | undefined): Promise<ProductView[]> {
    const products = await this.#prisma.product.findMany({
      where: {
        ...(after === undefined ? {} : { sku: { gt: after } }),
        ...(text === undefined
          ? {}
          : {
              OR: [
                { name: { contains: literally(text), mode: 'insensitive' } },
                { sku: { contains: literally(text), mode: 'insensitive' } },
              ],
            }),
      },
      orderBy: { sku: 'asc' },
      take: limit,
    });
    return products.map(viewOf);
  }
}

/** In a LIKE pattern, which Prisma's `contains` becomes, these characters would stand for others. */
function literally(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}

function viewOf({ sku, name, priceMinor, currency }: Product): ProductView {
  return { sku: sku as Sku, name, price: { amountMinor: Number(priceMinor), currency } };
}
