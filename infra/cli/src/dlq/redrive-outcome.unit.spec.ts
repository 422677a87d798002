import { describe, expect, it } from '@jest/globals';
import type { Redriven } from '@millrace/messaging/dead-letters';
import { letterExample } from './letter.examples.ts';
import { describeOutcome, isDone } from './redrive-outcome.ts';

const newer = Array.from({ length: 7 }, (_, index) => ({
  topic: 'payment.events.v1',
  partition: 3,
  offset: String(42 + index),
  messageId: `id-${index}`,
  type: 'millrace.PaymentVoided.v1',
  appendedAt: new Date('2026-11-23T09:01:00Z'),
}));
const nothing = { newer: [], isLogCut: false };
const decided = (decision: 'redriven' | 'discarded'): Redriven => ({
  kind: 'decided-before',
  decision: { decision, by: 'ada', reason: 'ticket 3', at: new Date(0), isEdited: false },
});
const said = (outcome: Redriven, isDryRun = false): string =>
  describeOutcome(letterExample(), outcome, isDryRun).join('\n');

describe('what came of a redrive', () => {
  it('is said in one line when all went well', () => {
    const outcome: Redriven = { kind: 'redriven', behind: 0, isHeld: false, overtaken: nothing };
    expect(said(outcome)).toBe('order.checkout/0/17  sent back');
    expect(said(outcome, true)).toBe('order.checkout/0/17  would be sent back');
  });

  it('tells what the letter waits for, and how to let a held key go', () => {
    const outcome: Redriven = { kind: 'redriven', behind: 2, isHeld: true, overtaken: { newer, isLogCut: true } };
    expect(said(outcome)).toBe(
      'order.checkout/0/17  sent back, behind 2 parked messages of its key, its key is held: millrace parked retry order.checkout order-1, ' +
        'after 7 newer of its key, nobody can tell after how many newer of its key',
    );
  });

  it('names the newer messages that a late letter would come after, and the way to send it all the same', () => {
    const lines = said({ kind: 'late', overtaken: { newer, isLogCut: false } }).split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[0]).toBe(
      'order.checkout/0/17  refused: order.checkout has settled or queued newer messages of order-1:',
    );
    expect(lines[1]).toBe('    millrace.PaymentVoided.v1 of 2026-11-23T09:01:00.000Z (payment.events.v1/3/42)');
    expect(lines.slice(-2)).toEqual(['    and 2 more', '    --late-is-fine sends it back all the same, after them.']);
  });

  it('says when nobody can know whether a letter is late', () => {
    expect(said({ kind: 'late', overtaken: { newer: [], isLogCut: true } })).toContain('the log has forgotten');
  });

  it('says what to do about a letter that would fail again', () => {
    expect(said({ kind: 'no-message', detail: 'orderId: expected string' })).toMatch(
      /would fail again at once: orderId[^]*--body FILE[^]*discard/,
    );
    expect(said({ kind: 'too-often', redrives: 3 })).toMatch(/sent back 3 times[^]*--again/);
  });

  it('is settled when the letter is on its way, now or since before', () => {
    expect(isDone({ kind: 'redriven', behind: 0, isHeld: false, overtaken: nothing })).toBe(true);
    expect(isDone(decided('redriven'))).toBe(true);
    expect(isDone(decided('discarded'))).toBe(false);
    expect(isDone({ kind: 'too-often', redrives: 3 })).toBe(false);
    expect(said(decided('discarded'))).toBe(
      'order.checkout/0/17  was discarded before, by ada at 1970-01-01T00:00:00.000Z: ticket 3',
    );
  });
});
