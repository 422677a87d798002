import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogTimeline } from './log-timeline.ts';

const HOUR = 3_600_000;

const timelineOf = (...points: readonly (readonly [timeMs: number, offset: number])[]): LogTimeline => {
  const timeline = new LogTimeline();
  for (const [timeMs, offset] of points) timeline.note({ timeMs, offset });
  return timeline;
};

describe('the timeline of a log', () => {
  it('tells between two points when an offset was appended', () => {
    const timeline = timelineOf([1000, 0], [2000, 10]);
    expect(timeline.appendedAtMs(4)).toBe(1500);
    expect(timeline.appendedAtMs(9)).toBe(2000);
  });

  it('knows that what comes after a quiet time came at its end', () => {
    const timeline = timelineOf([1000, 10], [2000, 10], [60_000, 10], [61_000, 11]);
    expect(timeline.appendedAtMs(10)).toBe(61_000);
    expect(timeline.nextQuestionMs(10, 61_000)).toBeUndefined();
  });

  it('asks further and further back until it has gone far enough', () => {
    const timeline = timelineOf([HOUR, 100]);
    expect(timeline.nextQuestionMs(3, HOUR)).toBe(HOUR - 10_000);
    timeline.note({ timeMs: HOUR - 10_000, offset: 90 });
    expect(timeline.nextQuestionMs(3, HOUR)).toBe(HOUR - 40_000);
  });

  it('asks nothing about an offset that is still to come', () => {
    expect(timelineOf([1000, 5]).nextQuestionMs(5, 2000)).toBeUndefined();
    expect(new LogTimeline().nextQuestionMs(5, 2000)).toBeUndefined();
  });

  it('forgets what nobody will ask about, and nothing else', () => {
    const timeline = timelineOf([1000, 0], [2000, 10], [3000, 20], [4000, 30]);
    timeline.forgetBelow(14);
    expect(timeline.appendedAtMs(14)).toBe(2500);
    expect(timeline.appendedAtMs(4)).toBe(2000);
  });

  it('stays small in the longest outage, and precise where it matters', () => {
    const timeline = new LogTimeline();
    for (let second = 0; second <= 100_000; second += 5) timeline.note({ timeMs: second * 1000, offset: second * 3 });
    const offset = 150_000;
    expect(timeline.appendedAtMs(offset)).toBeCloseTo(50_000_000, -5);
  });

  it('finds any record of any log to five seconds or a tenth in few questions', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(gaps, fc.nat(), (distances, pick) => {
        let time = 1_000_000_000;
        const appended = distances.map((distance) => (time += distance));
        const nowMs = time + 1000;
        const offset = pick % appended.length;
        const timeline = timelineOf([nowMs, appended.length]);
        let questions = 0;
        for (;;) {
          const askedMs = timeline.nextQuestionMs(offset, nowMs);
          if (askedMs === undefined) break;
          const first = appended.findIndex((at) => at >= askedMs);
          timeline.note({ timeMs: askedMs, offset: first === -1 ? appended.length : first });
          questions += 1;
          if (questions > 30) break;
        }
        const age = nowMs - (appended[offset] ?? 0);
        const found = nowMs - (timeline.appendedAtMs(offset) ?? 0);
        expect(questions).toBeLessThanOrEqual(20);
        expect(Math.abs(found - age)).toBeLessThanOrEqual(Math.max(5_000, age * 0.12));
      }),
    );
  });
});
