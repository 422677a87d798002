import { describe, expect, it } from '@jest/globals';
import { type Finding, Findings } from './findings.ts';

const unpaid: Finding = { slug: 'charged-once', sentence: 'order 1 has paid 0, and owes 5' };
const untold: Finding = { slug: 'told-once', sentence: 'the customer of order 1 was told: nothing' };

describe('findings', () => {
  it('are reported when a second look finds them, once', () => {
    const findings = new Findings();
    expect(findings.update([unpaid])).toEqual({ confirmed: [], righted: [] });
    expect(findings.suspected).toEqual([unpaid]);
    expect(findings.confirmed).toEqual([]);
    expect(findings.update([unpaid, untold])).toEqual({ confirmed: [unpaid], righted: [] });
    expect(findings.update([unpaid, untold])).toEqual({ confirmed: [untold], righted: [] });
    expect(findings.update([unpaid, untold])).toEqual({ confirmed: [], righted: [] });
    expect(findings.confirmed).toEqual([unpaid, untold]);
  });

  it('that a second look does not find were never any', () => {
    const findings = new Findings();
    findings.update([unpaid]);
    expect(findings.update([])).toEqual({ confirmed: [], righted: [] });
    expect(findings.update([unpaid]).confirmed).toEqual([]);
  });

  it('are known again by their key, whatever the sentence says by then', () => {
    const findings = new Findings();
    const before: Finding = { slug: 'stock-adds-up', key: 'MUG on the shelf', sentence: 'MUG: 7 of 10' };
    const after: Finding = { ...before, sentence: 'MUG: 5 of 8' };
    findings.update([before]);
    expect(findings.update([after])).toEqual({ confirmed: [after], righted: [] });
    expect(findings.update([before])).toEqual({ confirmed: [], righted: [] });
    expect(findings.update([])).toEqual({ confirmed: [], righted: [before] });
  });

  it('end when it is as it must be', () => {
    const findings = new Findings();
    findings.update([unpaid]);
    findings.update([unpaid]);
    expect(findings.update([])).toEqual({ confirmed: [], righted: [unpaid] });
    expect(findings.confirmed).toEqual([]);
  });
});
