import { describe, expect, it } from '@jest/globals';
import { type Finding, Findings } from './findings.ts';

const unpaid: Finding = { slug: 'charged-once', sentence: 'order 1 has paid 0, and owes 5' };
const untold: Finding = { slug: 'told-once', sentence: 'the customer of order 1 was told: nothing' };

describe('findings', () => {
  it('are reported when a second look finds them, once', () => {
    const findings = new Findings();
    expect(findings.update([unpaid])).toEqual({ confirmed: [], righted: [] });
    expect(findings.suspected).toBe(1);
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

  it('end when it is as it must be', () => {
    const findings = new Findings();
    findings.update([unpaid]);
    findings.update([unpaid]);
    expect(findings.update([])).toEqual({ confirmed: [], righted: [unpaid] });
    expect(findings.confirmed).toEqual([]);
  });
});
