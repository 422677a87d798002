import type { Sku } from '@millrace/contracts';
import { Injectable } from '@nestjs/common';
import { PrismaClient } from '../../generated/prisma/client.ts';
import type { Product } from '../domain/product.ts';

/** A product and how many of it there are. */
export interface StockedProduct extends Product {
  readonly onHand: number;
  readonly reserved: number;
}

/** Answers what people ask about products. */
@Injectable()
export class ProductQueries {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  async product(sku: Sku): Promise<StockedProduct | undefined> {
    const row = await this.#prisma.product.findUnique({ where: { sku }, include: { stock: true } });
    return row === null ? undefined : stockedProductOf(row);
  }

  /** At most `limit` products in the order of their skus, beginning after `after`. */
  async page(limit: number, after: Sku | undefined): Promise<readonly StockedProduct[]> {
    const rows = await this.#prisma.product.findMany({
      ...(after === undefined ? {} : { where: { sku: { gt: after } } }),
      orderBy: { sku: 'asc' },
      take: limit,
      include: { stock: true },
    });
    return rows.map(stockedProductOf);
  }
}

function stockedProductOf(row: {
  sku: string;
  name: string;
  priceMinor: bigint;
  currency: string;
  version: number;
  listedAt: Date;
  stock: { onHand: number; reserved: number } | null;
}): StockedProduct {
  const { sku, name, priceMinor, currency, version, listedAt, stock } = row;
  return {
    sku: sku as Sku,
    name,
    price: { amountMinor: Number(priceMinor), currency },
    version,
    listedAt,
    onHand: stock?.onHand ?? 0,
    reserved: stock?.reserved ?? 0,
  };
}
