import { describe, expect, it } from '@jest/globals';
import type { ReplayStatus } from '@millrace/messaging/replay';
import { Output } from '../output/output.ts';
import { ProgressLine } from '../output/progress-line.ts';
import { progressOf, showComparison, showStatus } from './show-replay.ts';

const reading: ReplayStatus = {
  projection: 'analytics.shop',
  replayId: 'id',
  from: undefined,
  askedBy: 'ada@mill',
  askedAt: new Date('2026-11-23T09:00:00Z'),
  endedAt: undefined,
  state: 'reading',
  wish: 'compare',
  acceptsLoss: false,
  isHeld: true,
  passed: 12_345,
  total: 40_000,
  perSecond: 5_230.4,
  applied: 12_000,
  duplicates: 345,
  leftOut: 0,
  problem: undefined,
  losses: [],
  notes: [],
  comparison: undefined,
};

const written = (show: (out: Output) => void): string => {
  let text = '';
  const sink = { write: (more: string) => (text += more) };
  show(new Output({ isJson: false, isColored: false, out: sink, err: sink }));
  return text;
};

describe('how a replay is shown', () => {
  it.each<[Partial<ReplayStatus>, string]>([
    [{}, 'analytics.shop: 12,345 of 40,000 messages (30%), 5,230/s, 5s left'],
    [{ perSecond: 0 }, 'analytics.shop: 12,345 of 40,000 messages (30%), 0/s, time left unknown'],
    [{ state: 'asked' }, 'analytics.shop: waits for a replica of the service'],
    [{ state: 'caught-up', passed: 40_000 }, 'analytics.shop: 40,000 of 40,000 messages (100%), caught-up, comparing'],
    [{ state: 'paused', total: 0, passed: 0 }, 'analytics.shop: 0 of 0 messages (100%), paused'],
    [{ problem: 'Kafka: gone\n' }, 'analytics.shop: 12,345 of 40,000 messages (30%), 5,230/s, 5s left – Kafka: gone '],
  ])('in one line: %j', (change, line) => {
    expect(progressOf({ ...reading, ...change })).toBe(line);
  });

  it('with what is missing and who asked for it', () => {
    const text = written((out) =>
      showStatus(out, { ...reading, losses: ['a.v1: the first 7 records are no longer in the log'] }),
    );
    expect(text).toContain('from the first record, asked for by ada@mill at 2026-11-23T09:00:00.000Z');
    expect(text).toContain('12,000 applied, 345 repeated, 0 left out');
    expect(text).toContain('missing  a.v1: the first 7 records are no longer in the log');
  });

  it('with the differences by table and rows that no terminal is harmed by', () => {
    const counts = { live: 3, shadow: 3, onlyLive: 1, onlyShadow: 1, different: 1 };
    const examples = [
      { live: '{"a": 1}', shadow: null },
      { live: null, shadow: '{"a": 2}' },
      { live: '{"a": "\u001B[2J"}', shadow: '{"a": 3}' },
    ];
    const text = written((out) => showComparison(out, { at: '', tables: [{ table: 'tally', ...counts, examples }] }));
    expect(text.split('\n')).toEqual([
      'TABLE  LIVE  SHADOW  ONLY LIVE  ONLY SHADOW  DIFFERENT',
      'tally     3       3          1            1          1',
      '',
      'tally, for example:',
      '  only in the live: {"a": 1}',
      '  only in the shadow: {"a": 2}',
      '  live:   {"a": " [2J"}',
      '  shadow: {"a": 3}',
      '',
    ]);
  });

  it('as one line that changes where somebody watches, and as few lines where nobody does', () => {
    const shown = (isTTY: boolean): string => {
      let text = '';
      const line = new ProgressLine({ isTTY, write: (more: string) => (text += more) });
      line.show('one');
      line.show('two');
      line.end();
      return text;
    };
    expect(shown(true)).toBe('\r\u001B[Kone\r\u001B[Ktwo\n');
    expect(shown(false)).toBe('one\n');
  });
});
