import { describe, expect, it } from '@jest/globals';
import { services } from '@millrace/shop';
import { Misuse } from '../options.ts';
import { parseProfileOptions } from './options.ts';

describe('the options of the profile', () => {
  it('are all services for twenty seconds unless told', () => {
    expect(parseProfileOptions([])).toEqual({
      seconds: 20,
      customers: 600,
      services,
      countsStatements: false,
      out: '.millrace/profile',
    });
  });

  it('name services, times and a folder', () => {
    const args = ['--seconds', '3', '--customers', '50', '--services', 'order, payment', '--sql', '--out', 'there'];
    expect(parseProfileOptions(args)).toEqual({
      seconds: 3,
      customers: 50,
      services: ['order', 'payment'],
      countsStatements: true,
      out: 'there',
    });
  });

  it.each([
    ['a service that there is not', ['--services', 'order,warehouse'], 'warehouse'],
    ['no time at all', ['--seconds', '0'], '--seconds'],
    ['what it does not know', ['--flame'], '--flame'],
  ])('refuse %s and say so', (_, args, word) => {
    const parse = () => parseProfileOptions(args);
    expect(parse).toThrow(Misuse);
    expect(parse).toThrow(word);
  });

  it('ask for the help', () => {
    expect(parseProfileOptions(['--help'])).toBeUndefined();
  });
});
