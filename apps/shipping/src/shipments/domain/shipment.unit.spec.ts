import { describe, expect, it } from '@jest/globals';
import {
  Address,
  ArrangeShipment,
  CancelShipment,
  newId,
  type OrderId,
  Quantities,
  ShipmentDispatched,
  type ShipmentId,
} from '@millrace/contracts';
import { localMessage } from '@millrace/messaging';
import { given, heard } from '@millrace/messaging/testing';
import { type CarrierEvent, type CarrierReported, decideReport } from './decide-report.ts';
import { decideShipment, neededCall, type NeededCall, type Outcome, type ShipmentCommand } from './decide-shipment.ts';
import type { Shipment } from './shipment.ts';

const orderId = newId<OrderId>();
const parcel = {
  lines: Quantities.parse([{ sku: 'TEA-1', quantity: 2 }]),
  address: Address.parse({ name: 'Ada', street: '1 Mill Lane', postcode: '10115', city: 'Berlin', country: 'DE' }),
};
const booking = { shipmentId: newId<ShipmentId>(), carrier: 'Millrace Parcel', trackingNumber: 'MP1' };
const conversation = { correlationId: 'conversation-1' };
const tomorrow = new Date('2026-01-02T00:00:00.000Z');

const arrange = heard(ArrangeShipment, { orderId, ...parcel });
const cancel = heard(CancelShipment, { orderId });

const reported = (event: CarrierEvent, nextReportAt?: Date): CarrierReported =>
  localMessage(
    'CarrierReported',
    orderId,
    { orderId, event, ...(nextReportAt && { nextReportAt }) },
    { source: 'shipping', now: new Date(0) },
  );

const states = {
  unknown: undefined,
  arranged: { status: 'arranged', parcel, booking, conversation, reportDueAt: tomorrow },
  dispatched: { status: 'dispatched', parcel, booking, conversation },
  delivered: { status: 'delivered', parcel, booking, conversation },
  refused: { status: 'refused', parcel, conversation, reason: 'postcode-not-served' },
  cancelled: { status: 'cancelled', parcel, booking, conversation },
} as const satisfies Record<string, Shipment | undefined>;
type State = keyof typeof states;

const willing: Record<NeededCall['kind'], Outcome> = {
  book: { kind: 'accepted', carrier: 'Millrace Parcel', trackingNumber: 'MP1' },
  cancel: { kind: 'cancelled' },
  none: { kind: 'nothing-to-do' },
};

/** The story of one shipment with a carrier that does what it is asked, unless `answers` says otherwise. */
function shipment(state: Shipment | undefined, answers: Partial<typeof willing> = {}) {
  return given<Shipment | undefined, ShipmentCommand>(
    (current, command, context) =>
      decideShipment(current, command, { ...willing, ...answers }[neededCall(current, command).kind], context),
    state,
  );
}

describe('a shipment that nobody has heard of', () => {
  it('is arranged when the carrier accepts the parcel, and remembers its conversation', () => {
    const story = shipment(undefined, { book: { ...willing.book, nextReportAt: tomorrow } as Outcome }).when({
      ...arrange,
      correlationId: 'conversation-1',
      traceparent: '00-1-2-01',
    });
    expect(story.state).toEqual({
      status: 'arranged',
      parcel,
      booking: { ...booking, shipmentId: expect.any(String) },
      conversation: { correlationId: 'conversation-1', traceparent: '00-1-2-01' },
      reportDueAt: tomorrow,
    });
    expect(story.said).toEqual([
      { type: 'ShipmentArranged', body: { orderId, ...booking, shipmentId: expect.any(String) } },
    ]);
  });

  it('is refused when the carrier does not serve the postcode', () => {
    const story = shipment(undefined, { book: { kind: 'refused', reason: 'postcode-not-served' } }).when(arrange);
    expect(story.state).toMatchObject({ status: 'refused', parcel, reason: 'postcode-not-served' });
    expect(story.said).toEqual([{ type: 'ShipmentRefused', body: { orderId, reason: 'postcode-not-served' } }]);
  });

  it('is remembered as cancelled, so that a late arrangement is refused', () => {
    const story = shipment(undefined).when(cancel, arrange);
    expect(story.state).toEqual({ status: 'cancelled', conversation: { correlationId: cancel.correlationId } });
    expect(story.said).toEqual([
      { type: 'ShipmentCancelled', body: { orderId } },
      { type: 'ShipmentRefused', body: { orderId, reason: 'shipment-cancelled' } },
    ]);
  });
});

describe('every command in every state', () => {
  const table: readonly (readonly [State, ShipmentCommand, NeededCall['kind'], State, string])[] = [
    ['arranged', arrange, 'none', 'arranged', 'ShipmentArranged'],
    ['dispatched', arrange, 'none', 'dispatched', 'ShipmentDispatched'],
    ['delivered', arrange, 'none', 'delivered', 'ShipmentDispatched'],
    ['refused', arrange, 'none', 'refused', 'ShipmentRefused'],
    ['cancelled', arrange, 'none', 'cancelled', 'ShipmentRefused'],
    ['arranged', cancel, 'cancel', 'cancelled', 'ShipmentCancelled'],
    ['dispatched', cancel, 'none', 'dispatched', 'ShipmentDispatched'],
    ['delivered', cancel, 'none', 'delivered', 'ShipmentDispatched'],
    ['refused', cancel, 'none', 'refused', 'ShipmentCancelled'],
    ['cancelled', cancel, 'none', 'cancelled', 'ShipmentCancelled'],
  ];
  for (const [from, command, call, to, answer] of table) {
    it(`answers ${command.type} while ${from} with ${answer} (call to the carrier: ${call})`, () => {
      expect(neededCall(states[from], command).kind).toBe(call);
      const story = shipment(states[from]).when(command);
      expect(story.state).toEqual(states[to]);
      expect(story.saidTypes).toEqual([answer]);
    });
  }
});

describe('a recall that races with the dispatch', () => {
  const decided = (state: Shipment, outcome: Outcome) =>
    decideShipment(state, cancel, outcome, { now: new Date(0), newId });

  for (const state of [states.dispatched, states.delivered]) {
    it(`loses when the parcel is ${state.status} by the time it is decided, whatever the carrier answered`, () => {
      for (const kind of ['cancelled', 'too-late', 'nothing-to-do'] as const) {
        const { state: after, messages } = decided(state, { kind });
        expect(after).toBe(state);
        expect(messages).toEqual([ShipmentDispatched({ orderId, ...booking })]);
      }
    });
  }

  it('counts as dispatched when the carrier says that it is too late, and the late report changes nothing', () => {
    const { state, messages } = decided(states.arranged, { kind: 'too-late' });
    expect(state).toMatchObject({ status: 'dispatched' });
    expect(messages).toEqual([ShipmentDispatched({ orderId, ...booking })]);
    expect(decideReport(state, reported('collected')).messages).toEqual([]);
  });
});

describe('a shipment that changed between the call and its record', () => {
  const cases: readonly (readonly [State, ShipmentCommand, Outcome])[] = [
    ['arranged', arrange, { kind: 'accepted', carrier: 'Millrace Parcel', trackingNumber: 'MP2' }],
    ['unknown', arrange, { kind: 'nothing-to-do' }],
    ['unknown', cancel, { kind: 'cancelled' }],
    ['arranged', cancel, { kind: 'nothing-to-do' }],
  ];
  for (const [state, command, outcome] of cases) {
    it(`is not recorded: ${command.type} found it ${state} after the carrier answered ${outcome.kind}`, () => {
      expect(() => decideShipment(states[state], command, outcome, { now: new Date(0), newId })).toThrow(/changed/);
    });
  }
});

describe('what a carrier reports', () => {
  const table: readonly (readonly [State, CarrierEvent, Shipment['status'], readonly string[]])[] = [
    ['arranged', 'collected', 'dispatched', ['ShipmentDispatched']],
    ['arranged', 'delivered', 'delivered', ['ShipmentDispatched', 'ShipmentDelivered']],
    ['dispatched', 'collected', 'dispatched', []],
    ['dispatched', 'delivered', 'delivered', ['ShipmentDelivered']],
    ['delivered', 'collected', 'delivered', []],
    ['delivered', 'delivered', 'delivered', []],
  ];
  for (const [from, event, to, said] of table) {
    it(`"${event}" while ${from} makes it ${to} and says ${said.join(' and ') || 'nothing'}`, () => {
      const story = given(decideReport, states[from]).when(reported(event));
      expect(story.state).toMatchObject({ status: to, parcel, booking, conversation });
      expect(story.saidTypes).toEqual(said);
    });
  }

  it('tells when the next report is due, and that none is after delivery', () => {
    const story = given(decideReport, states.arranged).when(reported('collected', tomorrow));
    expect(story.state).toHaveProperty('reportDueAt', tomorrow);
    expect(story.when(reported('delivered')).state).not.toHaveProperty('reportDueAt');
  });

  const refusals: readonly (readonly [State, string])[] = [
    ['unknown', 'unknown-shipment'],
    ['refused', 'shipment-refused'],
    ['cancelled', 'shipment-cancelled'],
  ];
  for (const [state, reason] of refusals) {
    it(`is refused while ${state}: no carrier can have the parcel`, () => {
      const story = given(decideReport, states[state]).when(reported('collected'));
      expect(story.refused).toBe(reason);
      expect(story.state).toBe(states[state]);
      expect(story.said).toEqual([]);
    });
  }
});
