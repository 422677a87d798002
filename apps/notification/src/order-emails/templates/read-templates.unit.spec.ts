import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readTemplates } from './read-templates.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-templates-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('the templates of a directory', () => {
  it('are refused together, with the name of each that is missing or wrong', () => {
    writeFileSync(join(directory, 'order-confirmed.txt'), 'Subject: Hi {{name}}\n\nText\n');
    writeFileSync(join(directory, 'order-cancelled.txt'), 'Subject: Hi\n\n{{trackingNumber}}\n');
    expect(() => readTemplates(directory)).toThrow(
      /order-cancelled\.txt is wrong: it knows no \{\{trackingNumber\}\}[^]*order-dispatched\.txt/,
    );
  });
});
