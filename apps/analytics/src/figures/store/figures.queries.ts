import { Injectable } from '@nestjs/common';
import { PrismaClient } from '../../generated/prisma/client.ts';
import type { OrderMinute, ProductSale, StockOut, Subject } from '../domain/deltas.ts';
import type { LatencyBucket } from '../domain/latency-buckets.ts';

/** Reads the read models. Counts come as numbers and fail with a `RangeError` rather than lose a digit. */
@Injectable()
export class FiguresQueries {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  /** The minutes from `from` up to but not including `to` in which something happened, oldest first. */
  orderMinutes(from: Date, to: Date, currency: string | undefined): Promise<OrderMinute[]> {
    return this.#prisma.orderMinute.findMany({
      where: { minute: { gte: from, lt: to }, ...(currency === undefined ? {} : { currency }) },
      orderBy: [{ minute: 'asc' }, { currency: 'asc' }],
    });
  }

  /** How often each item of these subjects was counted. */
  async tallies(subjects: readonly Subject[]): Promise<{ subject: string; item: string; times: number }[]> {
    const rows = await this.#prisma.tally.findMany({
      where: { subject: { in: [...subjects] } },
      orderBy: [{ subject: 'asc' }, { times: 'desc' }, { item: 'asc' }],
    });
    return rows.map((row) => ({ ...row, times: exact(row.times) }));
  }

  /** The products of which most units were sold, most first. */
  topProducts(currency: string | undefined, limit: number): Promise<ProductSale[]> {
    return this.#prisma.productSale.findMany({
      where: currency === undefined ? {} : { currency },
      orderBy: [{ units: 'desc' }, { revenueMinor: 'desc' }, { sku: 'asc' }, { currency: 'asc' }],
      take: limit,
    });
  }

  /** The products that were missing most often, most first. */
  async stockOuts(limit: number): Promise<StockOut[]> {
    const rows = await this.#prisma.stockOut.findMany({ orderBy: [{ times: 'desc' }, { sku: 'asc' }], take: limit });
    return rows.map((row) => ({ ...row, times: exact(row.times) }));
  }

  /** The histogram of each timed step that has one, buckets in ascending order. */
  async latencies(): Promise<ReadonlyMap<string, LatencyBucket[]>> {
    const rows = await this.#prisma.latencyBucket.findMany({ orderBy: [{ step: 'asc' }, { bucket: 'asc' }] });
    const buckets = rows.map((row) => ({ ...row, orders: exact(row.orders) }));
    return Map.groupBy(buckets, ({ step }) => step);
  }
}

/** A count or sum as JSON can carry it. */
export function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is too large to be exact as a number`);
  return number;
}
