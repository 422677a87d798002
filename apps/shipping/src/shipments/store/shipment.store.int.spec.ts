import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Address, CancelShipment, newId, type OrderId, Quantities, type ShipmentId } from '@millrace/contracts';
import { Database } from '@millrace/database';
import { driftOf, runMigrateCommand } from '@millrace/database/migrate';
import { createTestDatabase, type TestDatabase } from '@millrace/database/testing';
import { heard } from '@millrace/messaging/testing';
import { dueReports } from '../carrier/in-process/due-reports.ts';
import { InProcessCarrier } from '../carrier/in-process/in-process-carrier.ts';
import { decideReport } from '../domain/decide-report.ts';
import type { ShipmentCommand } from '../domain/decide-shipment.ts';
import type { BookedShipment, Shipment } from '../domain/shipment.ts';
import { shipmentStore } from './shipment.store.ts';

const prismaDir = join(import.meta.dirname, '../../../prisma');
let scratch: TestDatabase;
let database: Database;

beforeAll(async () => {
  scratch = await createTestDatabase();
  await runMigrateCommand({ service: 'shipping', url: scratch.url, prismaDir, log: () => {} });
  database = new Database({ url: scratch.url, applicationName: 'shipment-store-test' });
});

afterAll(async () => {
  await database.close();
  await scratch.drop();
});

beforeEach(async () => {
  await database.query('TRUNCATE shipment');
});

const parcel = {
  lines: Quantities.parse([{ sku: 'TEA-1', quantity: 2 }]),
  address: Address.parse({
    name: 'Ada "the first"',
    street: '1, Mill Lane',
    postcode: '10115',
    city: '{Berlin}',
    country: 'DE',
  }),
};
const conversation = {
  correlationId: 'conversation-1',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
};
const now = new Date('2026-01-01T00:00:00.000Z');
const later = new Date('2026-01-01T00:00:01.000Z');

const booked = (status: BookedShipment['status'], reportDueAt?: Date): BookedShipment => ({
  status,
  parcel,
  booking: { shipmentId: newId<ShipmentId>(), carrier: 'Millrace Parcel', trackingNumber: newId() },
  conversation,
  ...(reportDueAt && { reportDueAt }),
});

const about = (orderId: OrderId): ShipmentCommand => heard(CancelShipment, { orderId });

async function save(changes: readonly (readonly [OrderId, Shipment])[]): Promise<void> {
  await database.transaction(async (tx) => {
    const messages = changes.map(([orderId]) => about(orderId));
    const states = await shipmentStore.load(tx, messages, { lock: true });
    changes.forEach(([, shipment], index) => {
      const message = messages[index];
      if (message !== undefined) states.change(message, shipment);
    });
    await states.save(tx);
  });
}

async function load(orderIds: readonly OrderId[]): Promise<(Shipment | undefined)[]> {
  const messages = orderIds.map(about);
  const states = await shipmentStore.load(database, messages, { lock: false });
  return messages.map((message) => states.of(message));
}

describe('the shipment store', () => {
  it('gives every kind of shipment back as it was saved', async () => {
    const kept: readonly (readonly [OrderId, Shipment])[] = [
      [newId<OrderId>(), booked('arranged', now)],
      [newId<OrderId>(), booked('dispatched')],
      [newId<OrderId>(), booked('delivered')],
      [newId<OrderId>(), { status: 'refused', parcel, conversation, reason: 'postcode-not-served' }],
      [newId<OrderId>(), { status: 'cancelled', parcel, booking: booked('arranged').booking, conversation }],
      [newId<OrderId>(), { status: 'cancelled', conversation: { correlationId: 'conversation-2' } }],
    ];
    await save(kept);
    expect(await load(kept.map(([orderId]) => orderId))).toEqual(kept.map(([, shipment]) => shipment));
  });

  it('knows nothing of an order that it never saw', async () => {
    expect(await load([newId<OrderId>()])).toEqual([undefined]);
  });

  it('adds and moves shipments of one batch together', async () => {
    const [moving, added] = [newId<OrderId>(), newId<OrderId>()];
    const arranged = booked('arranged', now);
    await save([[moving, arranged]]);
    const dispatched: Shipment = { ...arranged, status: 'dispatched', reportDueAt: later };
    const other = booked('arranged');
    await save([
      [moving, dispatched],
      [added, other],
    ]);
    expect(await load([moving, added])).toEqual([dispatched, other]);
  });

  it('refuses to add a shipment that appeared since the batch was loaded', async () => {
    const orderId = newId<OrderId>();
    const outdated = database.transaction(async (tx) => {
      const states = await shipmentStore.load(tx, [about(orderId)], { lock: true });
      await save([[orderId, { status: 'cancelled', conversation }]]);
      states.change(about(orderId), booked('arranged'));
      await states.save(tx);
    });
    await expect(outdated).rejects.toMatchObject({ code: '23505' });
    expect(await load([orderId])).toMatchObject([{ status: 'cancelled' }]);
  });
});

describe('the reports of the in-process carrier', () => {
  const carrier = new InProcessCarrier({ refusedPostcodes: new Set(), dispatchAfterMs: 0, deliverAfterMs: 1_000 });

  it('are due oldest first, in the conversation and trace of their order, and no sooner', async () => {
    const [older, newer, future, silent] = [newId<OrderId>(), newId<OrderId>(), newId<OrderId>(), newId<OrderId>()];
    await save([
      [newer, booked('arranged', now)],
      [older, booked('dispatched', new Date(now.getTime() - 1))],
      [future, booked('arranged', later)],
      [silent, booked('arranged')],
    ]);
    const reports = await database.transaction((tx) => dueReports(tx, carrier, now, 10));
    expect(reports.map(({ body }) => body)).toEqual([
      { orderId: older, event: 'delivered' },
      { orderId: newer, event: 'collected', nextReportAt: later },
    ]);
    for (const report of reports) expect(report).toMatchObject(conversation);
  });

  it('are shared by replicas that look at the same time, each parcel by one of them', async () => {
    const orderIds = Array.from({ length: 10 }, () => newId<OrderId>());
    await save(orderIds.map((orderId) => [orderId, booked('arranged', now)]));
    const found = await database.transaction(async (first) => {
      const mine = await dueReports(first, carrier, now, 6);
      const theirs = await database.transaction((second) => dueReports(second, carrier, now, 10));
      return [mine, theirs].map((reports) => reports.map(({ key }) => key));
    });
    expect(found.map((keys) => keys.length)).toEqual([6, 4]);
    expect(found.flat().sort()).toEqual(orderIds.sort());
  });

  it('leave a parcel alone that is being recalled, and find it not due any more after that', async () => {
    const orderId = newId<OrderId>();
    const arranged = booked('arranged', now);
    await save([[orderId, arranged]]);
    await database.transaction(async (recall) => {
      const states = await shipmentStore.load(recall, [about(orderId)], { lock: true });
      expect(await database.transaction((tx) => dueReports(tx, carrier, now, 10))).toEqual([]);
      const { booking } = arranged;
      states.change(about(orderId), { status: 'cancelled', parcel, booking, conversation });
      await states.save(recall);
    });
    expect(await database.transaction((tx) => dueReports(tx, carrier, now, 10))).toEqual([]);
  });

  it('move a thousand parcels in a handful of statements', async () => {
    const orderIds = Array.from({ length: 1_000 }, () => newId<OrderId>());
    await save(orderIds.map((orderId) => [orderId, booked('arranged', now)]));
    await database.transaction(async (tx) => {
      const reports = await dueReports(tx, carrier, now, 1_000);
      const states = await shipmentStore.load(tx, reports, { lock: true });
      for (const report of reports) states.change(report, decideReport(states.of(report), report).state);
      await states.save(tx);
    });
    const { rows } = await database.query(
      'SELECT status, report_due_at, count(*)::int AS parcels FROM shipment GROUP BY 1, 2',
    );
    expect(rows).toEqual([{ status: 'dispatched', report_due_at: later, parcels: 1_000 }]);
  });
});

describe('the shipment table', () => {
  const impossible: readonly (readonly [string, string])[] = [
    ['is under way without a tracking number', 'UPDATE shipment SET tracking_number = NULL'],
    [
      'is refused although a carrier has it',
      `UPDATE shipment SET status = 'refused', refusal_reason = 'postcode-not-served'`,
    ],
    [
      'is delivered and still has something to report',
      `UPDATE shipment SET status = 'delivered', report_due_at = now()`,
    ],
    ['goes nowhere', 'UPDATE shipment SET address = NULL'],
    ['has a status that nobody knows', `UPDATE shipment SET status = 'lost'`],
  ];
  for (const [what, sql] of impossible) {
    it(`refuses a shipment that ${what}, even if the code is wrong`, async () => {
      await save([[newId<OrderId>(), booked('arranged')]]);
      await expect(database.query(sql)).rejects.toMatchObject({ code: '23514' });
    });
  }

  it('is what the Prisma schema says', async () => {
    expect(await driftOf(scratch.url, join(prismaDir, 'schema.prisma'))).toBe('');
  });
});
