import { describe, expect, it } from '@jest/globals';
import { newId, OrderCancelled, type OrderId, PaymentVoided, VoidPayment } from '@millrace/contracts';
import { PermanentFailure } from '../handlers/failures.ts';
import type { LocalMessage } from '../handlers/local-message.ts';
import { given } from '../testing/given.ts';
import { mermaidOf, tableOf } from './diagram.ts';
import { defineProcess, goes, ignored, impossible, refused, type Table } from './process.ts';

type Stage = 'open' | 'undoing' | 'closed';
interface Loan {
  readonly orderId: OrderId;
  readonly stage: Stage;
}
type Message = LocalMessage<'Cancelled' | 'Voided' | 'Extended', object>;

const orderId = newId<OrderId>();
const message = (type: string): Message => ({
  id: newId(),
  type: type as Message['type'],
  key: orderId,
  body: {},
  source: 'test',
  time: new Date(0),
  correlationId: 'conversation',
});
const to = (stage: Stage) => (state: Loan) => ({ state: { ...state, stage }, messages: [] });

const table: Table<Stage, Loan, Message> = {
  open: {
    Cancelled: goes('undoing', [VoidPayment], (state) => ({
      state: { ...state, stage: 'undoing' },
      messages: [VoidPayment({ orderId: state.orderId })],
    })),
    Voided: impossible,
    Extended: goes(['open', 'closed'], [], to('open')),
  },
  undoing: {
    Cancelled: ignored('it is being undone already'),
    Voided: goes('closed', [], to('closed')),
    Extended: refused('too-late'),
  },
  closed: { Cancelled: refused('closed'), Voided: ignored('said twice'), Extended: refused('closed') },
};
const define = (changed: Partial<Table<Stage, Loan, Message>> = {}) =>
  defineProcess({ name: 'loan', stageOf: (state: Loan) => state.stage, table: { ...table, ...changed } });
const loan = (stage: Stage = 'open'): Loan => ({ orderId, stage });

describe('a process', () => {
  const process = define();

  it('goes where its table says, and says what its table says', () => {
    const story = given(process.decide, loan()).when(message('Cancelled'), message('Voided'));
    expect(story.state.stage).toBe('closed');
    expect(story.saidTypes).toEqual(['VoidPayment']);
  });

  it('has a cell for each message in each stage, and each does what it is', () => {
    expect(process.stages).toEqual(['open', 'undoing', 'closed']);
    expect(process.messageTypes).toEqual(['Cancelled', 'Voided', 'Extended']);
    for (const stage of process.stages) {
      for (const type of process.messageTypes) {
        const decide = (): unknown => given(process.decide, loan(stage)).when(message(type));
        if (process.table[stage][type]?.kind === 'impossible') expect(decide).toThrow(PermanentFailure);
        else expect(decide).not.toThrow();
      }
    }
  });

  it('changes nothing for what is ignored, and tells why for what is refused', () => {
    const ignoring = given(process.decide, loan('undoing')).when(message('Cancelled'));
    expect([ignoring.state, ignoring.said, ignoring.refused]).toEqual([loan('undoing'), [], undefined]);
    const refusing = given(process.decide, loan('closed')).when(message('Cancelled'));
    expect([refusing.state, refusing.said, refusing.refused]).toEqual([loan('closed'), [], 'closed']);
  });

  const reasonOf = (unwanted: Message): string | undefined => {
    try {
      process.decide(loan(), unwanted, { now: new Date(0), newId });
    } catch (error) {
      return error instanceof PermanentFailure ? error.reason : undefined;
    }
    return undefined;
  };

  it('gives up what cannot arrive, with a reason to count by', () => {
    expect(reasonOf(message('Voided'))).toBe('impossible-transition');
    const stranger = { ...message('Voided'), type: 'Stranger' as never };
    expect(reasonOf(stranger)).toBe('unknown-message');
  });

  it('is caught when a cell goes to a stage or says a message that it did not declare', () => {
    const strays = define({ open: { ...table.open, Cancelled: goes('undoing', [], to('closed')) } });
    expect(() => given(strays.decide, loan()).when(message('Cancelled'))).toThrow(
      'open × Cancelled went to closed, declared is undoing',
    );
    const chats = define({
      open: {
        ...table.open,
        Cancelled: goes('undoing', [OrderCancelled], (state) => ({
          state: { ...state, stage: 'undoing' },
          messages: [PaymentVoided({ orderId: state.orderId })],
        })),
      },
    });
    expect(() => given(chats.decide, loan()).when(message('Cancelled'))).toThrow(
      'open × Cancelled says PaymentVoided, not declared',
    );
  });

  it('is drawn as it is', () => {
    expect(mermaidOf(process, { stage: 'open', label: 'a loan is asked for' }, ['closed'])).toBe(
      [
        'stateDiagram-v2',
        '  [*] --> open: a loan is asked for',
        '  open --> undoing: Cancelled / VoidPayment',
        '  open --> open: Extended',
        '  open --> closed: Extended',
        '  undoing --> closed: Voided',
        '  closed --> [*]',
      ].join('\n'),
    );
    expect(tableOf(process)).toBe(
      [
        '| message | open | undoing | closed |',
        '| --- | --- | --- | --- |',
        '| Cancelled | → undoing / VoidPayment | ignored | refused |',
        '| Voided | – | → closed | ignored |',
        '| Extended | stays or → closed | refused | refused |',
      ].join('\n'),
    );
  });
});
