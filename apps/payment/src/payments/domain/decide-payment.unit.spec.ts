import { describe, expect, it } from '@jest/globals';
import {
  AuthorizePayment,
  CapturePayment,
  newId,
  type OrderId,
  type PaymentId,
  RefundPayment,
  VoidPayment,
} from '@millrace/contracts';
import { PermanentFailure } from '@millrace/messaging/decisions';
import { given, heard } from '@millrace/messaging/testing';
import { decidePayment, neededCall, type NeededCall, type Outcome, type PaymentCommand } from './decide-payment.ts';
import type { Charge, Payment } from './payment.ts';

const orderId = newId<OrderId>();
const amount = { amountMinor: 4_200, currency: 'EUR' };
const charge: Charge = { paymentId: newId<PaymentId>(), reference: 'ch_1', amount };
const taken = { orderId, paymentId: charge.paymentId, amount };

const authorize = heard(AuthorizePayment, { orderId, amount, paymentToken: 'tok_approved' });
const capture = heard(CapturePayment, { orderId });
const voidIt = heard(VoidPayment, { orderId });
const refund = heard(RefundPayment, { orderId });

const states = {
  unknown: undefined,
  authorized: { status: 'authorized', charge },
  captured: { status: 'captured', charge },
  refunded: { status: 'refunded', charge },
  voided: { status: 'voided', charge },
  declined: { status: 'declined', reason: 'insufficient-funds' },
} as const satisfies Record<string, Payment | undefined>;

const willing: Record<NeededCall['kind'], Outcome> = {
  authorize: { kind: 'authorized', reference: 'ch_1' },
  capture: { kind: 'captured' },
  void: { kind: 'voided' },
  refund: { kind: 'refunded' },
  none: { kind: 'nothing-to-do' },
};

/** The story of one payment with a provider that does what it is asked, unless `answers` says otherwise. */
function payment(state: Payment | undefined, answers: Partial<typeof willing> = {}) {
  return given<Payment | undefined, PaymentCommand>(
    (current, command, context) =>
      decidePayment(current, command, { ...willing, ...answers }[neededCall(current, command).kind], context),
    state,
  );
}

describe('a payment that nobody has heard of', () => {
  it('is authorized when the provider holds the amount', () => {
    const story = payment(undefined).when(authorize);
    expect(story.state).toEqual({ status: 'authorized', charge: { ...charge, paymentId: expect.any(String) } });
    expect(story.said).toEqual([
      { type: 'PaymentAuthorized', body: { orderId, paymentId: expect.any(String), amount } },
    ]);
  });

  it('is declined when the provider refuses the card', () => {
    const story = payment(undefined, { authorize: { kind: 'declined', reason: 'card-declined' } }).when(authorize);
    expect(story.state).toEqual({ status: 'declined', reason: 'card-declined' });
    expect(story.said).toEqual([{ type: 'PaymentDeclined', body: { orderId, reason: 'card-declined' } }]);
  });

  it('is remembered as voided, so that a late authorization is refused', () => {
    const story = payment(undefined).when(voidIt, authorize);
    expect(story.state).toEqual({ status: 'voided' });
    expect(story.said).toEqual([
      { type: 'PaymentVoided', body: { orderId } },
      { type: 'PaymentDeclined', body: { orderId, reason: 'payment-voided' } },
    ]);
  });
});

describe('a payment from hold to refund', () => {
  it('tells each step with the amount that was held', () => {
    const story = payment(states.authorized).when(capture, refund);
    expect(story.state).toEqual(states.refunded);
    expect(story.said).toEqual([
      { type: 'PaymentCaptured', body: taken },
      { type: 'PaymentRefunded', body: taken },
    ]);
  });

  it('keeps the amount that was held when the command is repeated with another one', () => {
    const dearer = heard(AuthorizePayment, { ...authorize.body, amount: { amountMinor: 9_999, currency: 'EUR' } });
    expect(payment(states.authorized).when(dearer).said).toEqual([{ type: 'PaymentAuthorized', body: taken }]);
  });
});

describe('every command in every state', () => {
  type State = keyof typeof states;
  const table: readonly (readonly [State, PaymentCommand, NeededCall['kind'], State, string])[] = [
    ['authorized', authorize, 'none', 'authorized', 'PaymentAuthorized'],
    ['captured', authorize, 'none', 'captured', 'PaymentCaptured'],
    ['refunded', authorize, 'none', 'refunded', 'PaymentRefunded'],
    ['voided', authorize, 'none', 'voided', 'PaymentDeclined'],
    ['declined', authorize, 'none', 'declined', 'PaymentDeclined'],
    ['authorized', capture, 'capture', 'captured', 'PaymentCaptured'],
    ['captured', capture, 'none', 'captured', 'PaymentCaptured'],
    ['refunded', capture, 'none', 'refunded', 'PaymentRefunded'],
    ['authorized', voidIt, 'void', 'voided', 'PaymentVoided'],
    ['captured', voidIt, 'refund', 'refunded', 'PaymentRefunded'],
    ['refunded', voidIt, 'none', 'refunded', 'PaymentRefunded'],
    ['voided', voidIt, 'none', 'voided', 'PaymentVoided'],
    ['declined', voidIt, 'none', 'declined', 'PaymentVoided'],
    ['captured', refund, 'refund', 'refunded', 'PaymentRefunded'],
    ['refunded', refund, 'none', 'refunded', 'PaymentRefunded'],
  ];
  for (const [from, command, call, to, answer] of table) {
    it(`answers ${command.type} while ${from} with ${answer} (provider call: ${call})`, () => {
      expect(neededCall(states[from], command).kind).toBe(call);
      const story = payment(states[from]).when(command);
      expect(story.state).toEqual(states[to]);
      expect(story.saidTypes).toEqual([answer]);
    });
  }

  const impossible: readonly (readonly [State, PaymentCommand])[] = [
    ['unknown', capture],
    ['voided', capture],
    ['declined', capture],
    ['unknown', refund],
    ['authorized', refund],
    ['voided', refund],
    ['declined', refund],
  ];
  for (const [from, command] of impossible) {
    it(`refuses ${command.type} while ${from} for good, without a provider call`, () => {
      expect(neededCall(states[from], command).kind).toBe('none');
      expect(() => payment(states[from]).when(command)).toThrow(PermanentFailure);
    });
  }
});

describe('a payment that changed between the call and its record', () => {
  const cases: readonly (readonly [Payment | undefined, PaymentCommand, Outcome])[] = [
    [states.authorized, authorize, { kind: 'authorized', reference: 'ch_2' }],
    [undefined, authorize, { kind: 'nothing-to-do' }],
    [states.captured, capture, { kind: 'captured' }],
    [states.captured, voidIt, { kind: 'voided' }],
    [states.authorized, voidIt, { kind: 'nothing-to-do' }],
    [states.refunded, refund, { kind: 'refunded' }],
  ];
  for (const [state, command, outcome] of cases) {
    it(`is tried again: ${command.type} found ${state?.status ?? 'nothing'} after the provider answered ${outcome.kind}`, () => {
      const deciding = () => decidePayment(state, command, outcome, { now: new Date(0), newId });
      expect(deciding).toThrow(/changed/);
      expect(deciding).not.toThrow(PermanentFailure);
    });
  }
});
