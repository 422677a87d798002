import { describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import { PermanentFailure } from '@millrace/messaging';
import { given } from '@millrace/messaging/testing';
import { accepted, deadlines, messagesAbout, quantities, stockExpired, total } from './checkout.examples.ts';
import { checkoutDecision } from './decide-checkout.ts';

const decide = checkoutDecision(deadlines);
const orderId = newId<OrderId>();
const {
  StockReserved,
  StockRejected,
  StockReleased,
  StockCommitted,
  PaymentAuthorized,
  PaymentDeclined,
  PaymentCaptured,
  PaymentVoided,
  PaymentRefunded,
  ShipmentArranged,
  ShipmentRefused,
  ShipmentDispatched,
  ShipmentDelivered,
  ShipmentCancelled,
  CancellationRequested,
  DeadlineExpired,
} = messagesAbout(orderId);
const order = accepted(orderId);

type Heard = Parameters<typeof decide>[1];

/** The state after some messages, and what the last of them made the checkout say. */
function after(...messages: Heard[]) {
  const earlier = given(decide, undefined).when(...messages.slice(0, -1));
  const last = given(decide, earlier.state).when(...messages.slice(-1));
  return { state: last.state, said: last.said, saidTypes: last.saidTypes, refused: last.refused };
}

const reserved = [order, StockReserved];
const authorized = [...reserved, PaymentAuthorized];
const dispatched = [...authorized, ShipmentDispatched];

describe('the checkout of an order', () => {
  it('begins with a placed order, version 1, and asks for its stock', () => {
    const { state, said } = after(order);
    expect(state).toMatchObject({ stage: 'AwaitingStock', order: { orderId, status: 'placed', version: 1 } });
    expect(said).toEqual([
      { type: 'OrderPlaced', body: expect.objectContaining({ orderId, customerId: 'ada', total }) },
      { type: 'ReserveStock', body: { orderId, lines: quantities } },
    ]);
  });

  it('asks for the money once the stock is held', () => {
    const { state, said } = after(...reserved);
    expect(state?.stage).toBe('AwaitingPayment');
    expect(said).toEqual([
      { type: 'AuthorizePayment', body: { orderId, amount: total, paymentToken: 'tok_approved' } },
    ]);
  });

  it('confirms the order and asks for the parcel once the money is held', () => {
    const { state, said } = after(...authorized);
    expect(state).toMatchObject({ stage: 'AwaitingDispatch', order: { status: 'confirmed', version: 2 } });
    expect(state?.confirmedAt).not.toBeNull();
    expect(said).toEqual([
      {
        type: 'OrderConfirmed',
        body: expect.objectContaining({ orderId, total, placedAt: '2026-01-01T00:00:00.000Z' }),
      },
      { type: 'ArrangeShipment', body: { orderId, lines: quantities, address: order.body.shippingAddress } },
    ]);
  });

  it('takes money and stock for good once the parcel left, and not before', () => {
    const { state, said } = after(...authorized, ShipmentArranged, ShipmentDispatched);
    expect(state).toMatchObject({ stage: 'AwaitingCapture', order: { status: 'dispatched', version: 3 } });
    expect(said).toEqual([
      {
        type: 'OrderDispatched',
        body: expect.objectContaining({ carrier: 'swift', trackingNumber: 'S1', cancellationCameTooLate: false }),
      },
      { type: 'CapturePayment', body: { orderId } },
      { type: 'CommitStock', body: { orderId } },
    ]);
  });

  it('is complete once the money was taken, however slow the warehouse is', () => {
    const { state, saidTypes } = after(...dispatched, PaymentCaptured);
    expect(saidTypes).toEqual(['OrderCompleted']);
    expect(state).toMatchObject({ stage: 'Completed', order: { status: 'completed', version: 4 }, deadline: null });
    expect(after(...dispatched, PaymentCaptured, StockCommitted, ShipmentDelivered).state?.stage).toBe('Completed');
  });
});

describe('an order that cannot be had', () => {
  it('ends at once when there is no stock: nothing was asked of anybody else', () => {
    const { state, said } = after(order, StockRejected);
    expect(state).toMatchObject({ stage: 'Cancelled', order: { status: 'cancelled', version: 2 } });
    expect(said).toEqual([{ type: 'OrderCancelled', body: expect.objectContaining({ reason: 'out-of-stock' }) }]);
  });

  it('gives the stock back before it ends when the card is declined', () => {
    expect(after(...reserved, PaymentDeclined).saidTypes).toEqual(['ReleaseStock']);
    const { state, said } = after(...reserved, PaymentDeclined, StockReleased);
    expect(state).toMatchObject({ stage: 'Cancelled', order: { status: 'cancelled', version: 3 } });
    expect(said).toEqual([{ type: 'OrderCancelled', body: expect.objectContaining({ reason: 'payment-declined' }) }]);
  });

  it('gives money and stock back before it ends when no carrier takes the parcel', () => {
    expect(after(...authorized, ShipmentRefused).saidTypes).toEqual(['VoidPayment', 'ReleaseStock']);
    expect(after(...authorized, ShipmentRefused, StockReleased)).toMatchObject({
      state: { stage: 'Cancelling' },
      said: [],
    });
    expect(after(...authorized, ShipmentRefused, StockReleased, PaymentVoided)).toMatchObject({
      state: { stage: 'Cancelled', reason: 'shipment-refused' },
      saidTypes: ['OrderCancelled'],
    });
  });

  it('takes a refund for an answer as well: captured money that is given up is given back', () => {
    const { state } = after(...authorized, ShipmentRefused, PaymentRefunded, StockReleased);
    expect(state?.stage).toBe('Cancelled');
  });

  it('gives only the money back when the hold on its stock ran out meanwhile', () => {
    expect(after(...reserved, stockExpired(orderId)).saidTypes).toEqual(['VoidPayment']);
    expect(after(...reserved, stockExpired(orderId), PaymentAuthorized, PaymentVoided)).toMatchObject({
      state: { stage: 'Cancelled', reason: 'stock-hold-expired' },
      saidTypes: ['OrderCancelled'],
    });
  });
});

describe('a customer who changes their mind', () => {
  it('gets the stock released when nothing else was asked for yet', () => {
    const { state, saidTypes } = after(order, CancellationRequested);
    expect(saidTypes).toEqual(['ReleaseStock']);
    expect(state).toMatchObject({ stage: 'Cancelling', order: { status: 'cancelling', version: 2 } });
    expect(after(order, CancellationRequested, StockReserved, StockReleased)).toMatchObject({
      state: { stage: 'Cancelled', reason: 'customer-request' },
      saidTypes: ['OrderCancelled'],
    });
  });

  it('gets money and stock back when the card was being asked, whatever the card says then', () => {
    expect(after(...reserved, CancellationRequested).saidTypes).toEqual(['VoidPayment', 'ReleaseStock']);
    for (const answer of [PaymentAuthorized, PaymentDeclined]) {
      const { state } = after(...reserved, CancellationRequested, answer, PaymentVoided, StockReleased);
      expect(state?.stage).toBe('Cancelled');
    }
  });

  it('gets nothing undone before the dispatcher said that the parcel stays', () => {
    const recalled = [...authorized, CancellationRequested];
    expect(after(...recalled)).toMatchObject({
      state: { stage: 'RecallingShipment', order: { status: 'cancelling', version: 3 } },
      saidTypes: ['CancelShipment'],
    });
    for (const answer of [ShipmentCancelled, ShipmentRefused]) {
      expect(after(...recalled, answer).saidTypes).toEqual(['VoidPayment', 'ReleaseStock']);
      expect(after(...recalled, ShipmentArranged, answer, PaymentVoided, StockReleased).state).toMatchObject({
        stage: 'Cancelled',
        reason: 'customer-request',
      });
    }
  });

  it('is told when the parcel was faster: the order goes on and completes', () => {
    const { state, said } = after(...authorized, CancellationRequested, ShipmentDispatched);
    expect(state).toMatchObject({
      stage: 'AwaitingCapture',
      reason: null,
      order: { status: 'dispatched', version: 4 },
    });
    expect(said[0]).toEqual({
      type: 'OrderDispatched',
      body: expect.objectContaining({ cancellationCameTooLate: true }),
    });
    expect(
      after(...authorized, CancellationRequested, ShipmentDispatched, ShipmentDispatched, PaymentCaptured).state?.stage,
    ).toBe('Completed');
  });

  it('is refused once the parcel left', () => {
    expect(after(...dispatched, CancellationRequested)).toMatchObject({ refused: 'already-dispatched', said: [] });
    expect(after(...dispatched, PaymentCaptured, CancellationRequested).refused).toBe('already-dispatched');
  });

  it('may ask again: the wish is granted already', () => {
    expect(after(...reserved, CancellationRequested, CancellationRequested)).toMatchObject({
      state: { stage: 'Cancelling' },
      said: [],
      refused: undefined,
    });
    expect(after(order, StockRejected, CancellationRequested)).toMatchObject({ said: [], refused: undefined });
  });

  it('is told as well when the order was being given up for another reason, which stays the reason', () => {
    const recalled = [...authorized, DeadlineExpired, CancellationRequested];
    expect(after(...recalled).state).toMatchObject({ reason: 'timed-out', cancellationAsked: true });
    expect(after(...recalled, ShipmentDispatched).said[0]?.body).toMatchObject({ cancellationCameTooLate: true });
    expect(after(...recalled, ShipmentCancelled).state?.reason).toBe('timed-out');
  });
});

describe('a participant who does not answer', () => {
  it.each([
    { stage: 'AwaitingStock', so: [order], says: ['ReleaseStock'] },
    { stage: 'AwaitingPayment', so: reserved, says: ['VoidPayment', 'ReleaseStock'] },
  ])('has $stage undone after its deadline, also unheard', ({ so, says }) => {
    expect(after(...so, DeadlineExpired)).toMatchObject({
      state: { stage: 'Cancelling', reason: 'timed-out' },
      saidTypes: says,
    });
  });

  it('has the parcel recalled after the deadline, and recalled again until there is an answer', () => {
    expect(after(...authorized, DeadlineExpired)).toMatchObject({
      state: { stage: 'RecallingShipment', reason: 'timed-out', cancellationAsked: false },
      saidTypes: ['CancelShipment'],
    });
    expect(after(...authorized, DeadlineExpired, DeadlineExpired).saidTypes).toEqual(['CancelShipment']);
    expect(after(...authorized, DeadlineExpired, ShipmentDispatched).said[0]?.body).toMatchObject({
      cancellationCameTooLate: false,
    });
  });

  it('is asked again for the capture: a parcel that left is never undone', () => {
    expect(after(...dispatched, DeadlineExpired)).toMatchObject({
      state: { stage: 'AwaitingCapture' },
      saidTypes: ['CapturePayment', 'CommitStock'],
    });
  });

  it('is asked again for exactly the undos that are still awaited', () => {
    const cancelling = [...reserved, CancellationRequested];
    expect(after(...cancelling, DeadlineExpired).saidTypes).toEqual(['VoidPayment', 'ReleaseStock']);
    expect(after(...cancelling, StockReleased, DeadlineExpired).saidTypes).toEqual(['VoidPayment']);
    expect(after(...cancelling, PaymentVoided, DeadlineExpired).saidTypes).toEqual(['ReleaseStock']);
  });

  it.each([
    { stage: 'AwaitingStock', so: [order], ms: deadlines.stockMs },
    { stage: 'AwaitingPayment', so: reserved, ms: deadlines.paymentMs },
    { stage: 'AwaitingDispatch', so: authorized, ms: deadlines.dispatchMs },
    { stage: 'RecallingShipment', so: [...authorized, CancellationRequested], ms: deadlines.recallMs },
    { stage: 'AwaitingCapture', so: dispatched, ms: deadlines.captureMs },
    { stage: 'Cancelling', so: [order, CancellationRequested], ms: deadlines.undoMs },
  ])('has $ms ms in $stage, and as long again after each expiry that waits on', ({ so, ms }) => {
    const { state } = after(...so);
    const start = new Date('2026-01-01T00:00:00.000Z');
    expect(state?.deadline).toEqual(new Date(start.getTime() + ms));
    const later = given(decide, state).at(new Date('2026-01-02T00:00:00.000Z')).when(DeadlineExpired).state;
    expect(later?.deadline?.getTime()).toBeGreaterThan(new Date('2026-01-02T00:00:00.000Z').getTime());
  });
});

describe('stock whose hold runs out while the parcel is awaited', () => {
  it('has the parcel recalled, and then only the money given back', () => {
    const recalled = [...authorized, stockExpired(orderId)];
    expect(after(...recalled)).toMatchObject({ state: { stage: 'RecallingShipment' }, saidTypes: ['CancelShipment'] });
    expect(after(...recalled, ShipmentCancelled).saidTypes).toEqual(['VoidPayment']);
    expect(after(...recalled, ShipmentCancelled, PaymentVoided).state).toMatchObject({
      stage: 'Cancelled',
      reason: 'stock-hold-expired',
    });
  });

  it('is remembered when it happens during a recall', () => {
    expect(after(...authorized, CancellationRequested, stockExpired(orderId), ShipmentCancelled).saidTypes).toEqual([
      'VoidPayment',
    ]);
  });

  it('is taken all the same when the parcel was faster', () => {
    expect(after(...authorized, stockExpired(orderId), ShipmentDispatched).saidTypes).toEqual([
      'OrderDispatched',
      'CapturePayment',
      'CommitStock',
    ]);
    expect(after(...dispatched, stockExpired(orderId), PaymentCaptured).state?.stage).toBe('Completed');
  });
});

describe('news that comes late', () => {
  it('undoes what was done for an order that is cancelled', () => {
    expect(after(order, StockRejected, StockReserved).saidTypes).toEqual(['ReleaseStock']);
    const cancelled = [...reserved, CancellationRequested, PaymentVoided, StockReleased];
    expect(after(...cancelled, PaymentAuthorized)).toMatchObject({
      state: { stage: 'Cancelled' },
      saidTypes: ['VoidPayment'],
    });
    expect(after(...cancelled, PaymentAuthorized, PaymentVoided)).toMatchObject({
      state: { stage: 'Cancelled' },
      said: [],
    });
  });

  it('is undone and awaited once more when its undo was acknowledged already', () => {
    const half = [...reserved, CancellationRequested, StockReleased];
    expect(after(...half, StockReserved)).toMatchObject({
      state: { undoPending: { stock: true, payment: true } },
      saidTypes: ['ReleaseStock'],
    });
    expect(after(...half, StockReserved, PaymentVoided).state?.stage).toBe('Cancelling');
    expect(after(...half, StockReserved, PaymentVoided, StockReleased).state?.stage).toBe('Cancelled');
    expect(after(...reserved, CancellationRequested, PaymentVoided, PaymentAuthorized)).toMatchObject({
      state: { undoPending: { stock: true, payment: true } },
      saidTypes: ['VoidPayment'],
    });
  });

  it('says nothing more when its undo is on the way', () => {
    expect(after(order, CancellationRequested, StockReserved).said).toEqual([]);
    expect(after(...reserved, CancellationRequested, PaymentAuthorized).said).toEqual([]);
  });
});

describe('the book of an order', () => {
  it('remembers each decision with who said what when, also one that changed nothing', () => {
    const { state } = after(...authorized, ShipmentArranged);
    expect(state?.newHistory.map(({ type, service, direction, said }) => [type, service, direction, said])).toEqual([
      ['OrderAccepted', 'order', 'local', ['OrderPlaced', 'ReserveStock']],
      ['StockReserved', 'test', 'heard', ['AuthorizePayment']],
      ['PaymentAuthorized', 'test', 'heard', ['OrderConfirmed', 'ArrangeShipment']],
      ['ShipmentArranged', 'test', 'heard', []],
    ]);
  });

  it('does not remember a wish that was refused', () => {
    expect(after(...dispatched, CancellationRequested).state?.newHistory.at(-1)?.type).toBe('ShipmentDispatched');
  });

  it('is not opened for an order that nobody placed here, nor twice for one', () => {
    const failure = (reason: string): unknown => expect.objectContaining({ name: PermanentFailure.name, reason });
    expect(() => after(StockReserved)).toThrow(failure('unknown-order') as Error);
    expect(() => after(order, order)).toThrow(failure('impossible-transition') as Error);
  });
});
