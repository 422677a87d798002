import type { OrderId, Sku } from '@millrace/contracts';
import { Injectable } from '@nestjs/common';
import { PrismaClient } from '../../generated/prisma/client.ts';
import type { Reservation } from '../domain/reservation.ts';
import type { StockItem } from '../domain/stock-item.ts';
import { reservationOf, type ReservationRow } from './stock.sql.ts';

/** Answers what people ask about stock. */
@Injectable()
export class StockQueries {
  readonly #prisma: PrismaClient;

  constructor(prisma: PrismaClient) {
    this.#prisma = prisma;
  }

  async stockOf(sku: Sku): Promise<StockItem | undefined> {
    const row = await this.#prisma.stock.findUnique({ where: { sku } });
    return row === null ? undefined : { sku, onHand: row.onHand, reserved: row.reserved };
  }

  async reservationOf(orderId: OrderId): Promise<Reservation | undefined> {
    const row = await this.#prisma.reservation.findUnique({ where: { orderId } });
    if (row === null) return undefined;
    return reservationOf({
      order_id: orderId,
      status: row.status as ReservationRow['status'],
      lines: row.lines as unknown as ReservationRow['lines'],
      missing: row.missing as unknown as ReservationRow['missing'],
      held_until: row.heldUntil,
    });
  }
}
