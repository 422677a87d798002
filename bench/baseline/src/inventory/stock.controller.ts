import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { StockCommand } from '../messages.ts';
import { Publisher } from '../process/publisher.ts';

/** Not an error, but the way out of a transaction that has held a part of what was asked for. */
class OutOfStock extends Error {}

/** The warehouse. */
@Controller()
export class StockController {
  readonly #prisma: PrismaClient;
  readonly #publisher: Publisher;

  constructor(prisma: PrismaClient, publisher: Publisher) {
    this.#prisma = prisma;
    this.#publisher = publisher;
  }

  @EventPattern('reserve-stock')
  async reserve(@Payload() command: StockCommand): Promise<void> {
    const { orderId } = command;
    const status = await this.#reserved(command).catch(async (error: unknown) => {
      if (!(error instanceof OutOfStock)) throw error;
      const lines = command.lines.map((line) => ({ ...line }));
      await this.#prisma.reservation.create({ data: { orderId, status: 'rejected', lines } });
      return 'rejected';
    });
    const at = new Date().toISOString();
    await this.#publisher.emit(status === 'rejected' ? 'stock-rejected' : 'stock-reserved', { orderId, at });
  }

  @EventPattern('commit-stock')
  async commit(@Payload() { orderId }: StockCommand): Promise<void> {
    if (await this.#end(orderId, 'committed')) {
      await this.#publisher.emit('stock-committed', { orderId, at: new Date().toISOString() });
    }
  }

  @EventPattern('release-stock')
  async release(@Payload() { orderId }: StockCommand): Promise<void> {
    if (await this.#end(orderId, 'released')) {
      await this.#publisher.emit('stock-released', { orderId, at: new Date().toISOString() });
    }
  }

  /** A command that comes again gets the answer of the first. */
  async #reserved({ orderId, lines }: StockCommand): Promise<string> {
    return this.#prisma.$transaction(async (tx) => {
      const known = await tx.reservation.findUnique({ where: { orderId } });
      if (known !== null) return known.status;
      for (const { sku, quantity } of lines) {
        const stock = await tx.stock.findUnique({ where: { sku } });
        if (stock === null || stock.onHand - stock.reserved < quantity) throw new OutOfStock();
        await tx.stock.update({ where: { sku }, data: { reserved: { increment: quantity } } });
      }
      const held = await tx.reservation.create({
        data: { orderId, status: 'held', lines: lines.map((line) => ({ ...line })) },
      });
      return held.status;
    });
  }

  async #end(orderId: string, status: 'committed' | 'released'): Promise<boolean> {
    return this.#prisma.$transaction(async (tx) => {
      const held = await tx.reservation.findUnique({ where: { orderId } });
      if (held?.status !== 'held') return false;
      for (const { sku, quantity } of held.lines as unknown as StockCommand['lines']) {
        const onHand = status === 'committed' ? { onHand: { decrement: quantity } } : {};
        await tx.stock.update({ where: { sku }, data: { reserved: { decrement: quantity }, ...onHand } });
      }
      await tx.reservation.update({ where: { orderId }, data: { status } });
      return true;
    });
  }
}
