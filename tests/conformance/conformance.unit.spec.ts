import { describe, expect, it } from '@jest/globals';
import { planted } from './build.ts';
import { difference } from './comparison.ts';
import { HELP, parseOptions } from './options.ts';
import { promisesPart } from './page.ts';
import { plantedBugs } from './planted-bugs.ts';
import { promises } from './promises.ts';
import type { Results } from './results.ts';
import { nameOf } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

describe('the promises', () => {
  it.each(Object.keys(promises))('"%s" has a scenario and a planted bug', (promise) => {
    expect(scenarios.some((scenario) => scenario.promise === promise)).toBe(true);
    expect(plantedBugs.some((bug) => bug.promise === promise)).toBe(true);
  });

  it('have scenarios and planted bugs with names of their own', () => {
    const names = [...scenarios.map(nameOf), ...plantedBugs.map(({ name }) => name)];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a planted bug', () => {
  it.each(plantedBugs.map((bug) => [bug.name, bug] as const))('fits the code as it is: %s', (_name, bug) => {
    const source = planted(bug);
    expect(source).toContain(bug.replace);
    expect(scenarios.map(nameOf)).toContain(nameOf({ promise: bug.promise, title: bug.scenario }));
  });

  it('that does not fit any more is refused, and so is one that fits twice', () => {
    const [bug] = plantedBugs;
    expect(bug).toBeDefined();
    const misfit = { ...bug, name: 'misfit' } as typeof bug & { name: string };
    expect(() => planted({ ...misfit, find: 'this stands nowhere' } as never)).toThrow('stands 0 times');
    expect(() => planted({ ...misfit, find: 'import ' } as never)).toThrow(
      /"misfit" does not fit any more: .* stands \d+ times/,
    );
  });
});

describe('what was applied', () => {
  const sent = new Map([
    ['a', ['1', '2', '3']],
    ['b', ['4']],
  ]);
  const applied = (...all: string[]) => all.map((text) => ({ account: text.charAt(0), id: text.slice(1) }));

  it.each([
    ['as it was sent', applied('a1', 'b4', 'a2', 'a3'), undefined],
    ['without one', applied('a1', 'a3', 'b4'), '1 of 4 are lost'],
    ['with one twice', applied('a1', 'a2', 'a2', 'a3', 'b4'), '1 came more than once'],
    ['in another order', applied('a2', 'a1', 'a3', 'b4'), '1 accounts are out of order'],
    ['with a strange one', applied('a1', 'a2', 'a3', 'b4', 'c9'), '1 should not be there'],
  ])('is judged: %s', (_how, list, verdict) => {
    expect(difference(sent, list)).toBe(verdict);
  });

  it('is judged without what must not be applied', () => {
    expect(difference(sent, applied('a1', 'a3', 'b4'), new Set(['2']))).toBeUndefined();
    expect(difference(sent, applied('a1', 'a2', 'a3', 'b4'), new Set(['2']))).toBe('1 should not be there');
  });
});

describe('the page of the promises', () => {
  const results: Results = { at: '2026-01-01T00:00:00.000Z', cores: 2, scenarios: {}, bugs: {} };

  it('says what was never run', () => {
    expect(promisesPart(results)).toContain('| not run yet | not run yet |');
  });

  it('is refused results of a scenario or a planted bug that is no more', () => {
    const stale = { ...results, scenarios: { 'order: by accident': { '1': { holds: true, seconds: 1 } } } };
    expect(() => promisesPart(stale)).toThrow('"order: by accident", which is no more');
    const gone = { ...results, bugs: { 'a bug of old': { caught: true, seconds: 1, said: '' } } };
    expect(() => promisesPart(gone)).toThrow('"a bug of old", which is no more');
  });
});

describe('the options', () => {
  it('record the results of a complete run only', () => {
    expect(parseOptions([]).records).toBe(true);
    for (const part of [
      ['--only', 'order'],
      ['--brokers', '1'],
      ['--bugs'],
      ['--no-bugs'],
      ['--repeat', '2'],
      ['--no-record'],
    ]) {
      expect(parseOptions(part).records).toBe(false);
    }
  });

  it.each([
    [['--brokers', '2'], '--brokers is 1 or 3'],
    [['--bugs', '--no-bugs'], 'exclude each other'],
    [['--side-by-side', 'many'], '--side-by-side is a number'],
    [['--wrong'], "Unknown option '--wrong'"],
  ])('refuse %j', (args, why) => {
    expect(() => parseOptions(args)).toThrow(why);
  });

  it('are all in the help', () => {
    for (const option of [
      'only',
      'brokers',
      'bugs',
      'no-bugs',
      'side-by-side',
      'repeat',
      'no-record',
      'json',
      'list',
      'help',
    ]) {
      expect(HELP).toContain(`--${option}`);
    }
  });
});
