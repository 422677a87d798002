import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, NotificationFailed, NotificationSent, type OrderId } from '@millrace/contracts';
import { heard } from '@millrace/messaging/testing';
import { type OrderDatabase, orderDatabase } from '../../../test/order-database.ts';
import { keepNotifications } from './order-notifications.ts';

describe('what customers were told', () => {
  let order: OrderDatabase;
  beforeAll(async () => {
    order = await orderDatabase();
  });
  afterAll(() => order.drop());

  it('is kept once, however often it is projected', async () => {
    const orderId = newId<OrderId>();
    const time = new Date('2026-01-01T00:00:00.123Z');
    const sent = heard(NotificationSent, { orderId, kind: 'order-confirmed', channel: 'email' }, { time });
    const failed = heard(
      NotificationFailed,
      { orderId, kind: 'order-dispatched', channel: 'email', reason: 'mailbox full' },
      { time: new Date(time.getTime() + 1) },
    );
    await order.database.transaction((tx) => keepNotifications(tx, [sent]));
    await order.database.transaction((tx) => keepNotifications(tx, [sent, failed]));
    const { rows } = await order.database.query(
      'SELECT message_id, type, kind, at FROM order_notifications WHERE order_id = $1 ORDER BY at',
      [orderId],
    );
    expect(rows).toEqual([
      { message_id: sent.id, type: 'NotificationSent', kind: 'order-confirmed', at: time },
      { message_id: failed.id, type: 'NotificationFailed', kind: 'order-dispatched', at: failed.time },
    ]);
  });
});
