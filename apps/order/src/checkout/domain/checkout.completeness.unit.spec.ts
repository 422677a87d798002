import { describe, expect, it } from '@jest/globals';
import { newId, type OrderId } from '@millrace/contracts';
import { PermanentFailure } from '@millrace/messaging';
import { type Cell, mermaidOf, tableOf } from '@millrace/messaging/process';
import { given } from '@millrace/messaging/testing';
import { accepted, deadlines, messagesAbout } from './checkout.examples.ts';
import { checkoutProcess } from './checkout.process.ts';
import { type Checkout, type CheckoutMessage, ends, initial, type Stage } from './checkout.ts';
import { checkoutDecision } from './decide-checkout.ts';
import { hasEnded } from './order.ts';

const orderId = newId<OrderId>();
const messages = messagesAbout(orderId);
const process = checkoutProcess(deadlines);
const context = { now: new Date('2026-01-01T00:00:01.000Z'), newId };

/** The messages that lead an order into each stage. */
const wayTo: Readonly<Record<Stage, readonly CheckoutMessage['type'][]>> = {
  AwaitingStock: [],
  AwaitingPayment: ['StockReserved'],
  AwaitingDispatch: ['StockReserved', 'PaymentAuthorized'],
  RecallingShipment: ['StockReserved', 'PaymentAuthorized', 'CancellationRequested'],
  AwaitingCapture: ['StockReserved', 'PaymentAuthorized', 'ShipmentDispatched'],
  Completed: ['StockReserved', 'PaymentAuthorized', 'ShipmentDispatched', 'PaymentCaptured'],
  Cancelling: ['StockReserved', 'CancellationRequested'],
  Cancelled: ['StockRejected'],
};

function typicalOf(stage: Stage): Checkout {
  const way = wayTo[stage].map((type) => messages[type]);
  const { state } = given(checkoutDecision(deadlines), undefined).when(accepted(orderId), ...way);
  if (state?.stage !== stage) throw new Error(`the way to ${stage} leads to ${state?.stage}`);
  return state;
}

const cells = process.stages.flatMap((stage) => process.messageTypes.map((type) => ({ stage, type })));

describe('the checkout table', () => {
  it('decides about every message in every stage', () => {
    expect(process.stages.toSorted()).toEqual(Object.keys(wayTo).toSorted());
    expect(process.messageTypes.toSorted()).toEqual(Object.keys(messages).toSorted());
    expect(cells).toHaveLength(8 * 16);
  });

  it.each(cells)('$stage × $type does what its cell says', ({ stage, type }) => {
    const state = typicalOf(stage);
    const cell: Cell<Stage, Checkout, never> = process.table[stage][type];
    const decide = () => process.decide(state, messages[type], context);
    switch (cell.kind) {
      case 'goes': {
        const next = decide();
        expect(cell.to).toContain(next.state.stage);
        expect(cell.says.map((contract) => contract.type)).toEqual(
          expect.arrayContaining(next.messages.map(({ contract }) => contract.type)),
        );
        expect(next.state.deadline === null).toBe(hasEnded(next.state.order.status));
        break;
      }
      case 'ignored':
        expect(cell.because).not.toBe('');
        expect(decide()).toEqual({ state, messages: [] });
        break;
      case 'refused':
        expect(decide()).toEqual({ state, messages: [], refused: cell.because });
        break;
      case 'impossible':
        expect(decide).toThrow(PermanentFailure);
        expect(decide).toThrow(`${type} cannot arrive while checkout is ${stage}`);
        break;
    }
  });

  it('refuses a person only where the parcel has left', () => {
    const refusing = cells.filter(({ stage, type }) => process.table[stage][type].kind === 'refused');
    expect(refusing).toEqual([
      { stage: 'AwaitingCapture', type: 'CancellationRequested' },
      { stage: 'Completed', type: 'CancellationRequested' },
    ]);
  });

  it('leaves no end stage', () => {
    const ways = ends.flatMap((stage) =>
      process.messageTypes.flatMap((type) => {
        const cell: Cell<Stage, Checkout, never> = process.table[stage][type];
        return cell.kind === 'goes' ? cell.to.map((to) => [stage, to]) : [];
      }),
    );
    expect(ways).toEqual([
      ['Cancelled', 'Cancelled'],
      ['Cancelled', 'Cancelled'],
    ]);
  });

  it('can be drawn and printed', () => {
    const drawing = mermaidOf(process, initial, ends);
    expect(drawing).toContain('[*] --> AwaitingStock: OrderAccepted / OrderPlaced, ReserveStock');
    expect(drawing).toContain(
      'AwaitingPayment --> AwaitingDispatch: PaymentAuthorized / OrderConfirmed, ArrangeShipment',
    );
    expect(tableOf(process).split('\n')).toHaveLength(2 + process.messageTypes.length);
  });
});
