import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { catalogue } from '../catalogue.ts';
import { arbitraryOf } from '../fixtures/arbitrary-of.ts';
import { Sku } from '../ids.ts';
import { type AnyContract, defineMessage } from '../message.ts';
import { topics } from '../topics.ts';
import { compare, type Direction, type Finding, selfCheck } from './gate.ts';
import { readSchema, writtenSchema } from './json-schema.ts';
import { type Release, snapshotOf, type Support } from './snapshot.ts';

const facts = {
  type: 'ParcelWeighed',
  version: 1,
  topic: topics.shippingEvents,
  key: 'orderId',
  meaning: 'Weighed.',
} as const;

/** The parcel message with other fields. */
function parcel(fields: z.ZodRawShape, changed: object = {}): AnyContract {
  return defineMessage({
    ...facts,
    ...changed,
    schema: z.object({ orderId: z.string().max(3), ...fields }),
  } as never) as AnyContract;
}

const releaseOf = (contracts: readonly AnyContract[], support: Support = 'full'): Release => ({
  version: '0.1.0',
  released: '2026-01-01',
  support,
  ...snapshotOf(contracts),
});

const check = (before: readonly AnyContract[], after: readonly AnyContract[], support?: Support): readonly Finding[] =>
  compare(releaseOf(before, support), snapshotOf(after));

/** As `what field`, for one direction. */
function breaksOf(findings: readonly Finding[], direction: Direction): readonly string[] {
  return findings
    .filter((finding) => finding.verdict === 'breaks' && finding.direction === direction)
    .map(({ what, field }) => `${what} ${field}`);
}

/** Whether every generated message of one contract, as it stands on the wire, is read by the other. */
function isAlwaysRead(writer: AnyContract, reader: AnyContract): boolean {
  const wire = arbitraryOf(readSchema(writer)).map((body) => {
    const said = writer.schema.safeParse(body);
    return said.success ? (JSON.parse(JSON.stringify(said.data)) as unknown) : undefined;
  });
  const details = fc.check(
    fc.property(wire, (body) => body === undefined || reader.schema.safeParse(body).success),
    { numRuns: 400, seed: 7, endOnFailure: true },
  );
  return !details.failed;
}

const NEW = 'old readers, new messages';
const OLD = 'new readers, old messages';

const grams = z.int().min(1).max(100);
const line = z.object({ sku: Sku, quantity: z.int().positive() });
const scale = z.discriminatedUnion('by', [
  z.object({ by: z.literal('hand') }),
  z.object({ by: z.literal('machine'), model: z.string() }),
]);

// One planted change per row: the fields before and after, and what each direction says of it.
const changes: readonly (readonly [string, z.ZodRawShape, z.ZodRawShape, readonly string[], readonly string[]])[] = [
  ['nothing', { grams }, { grams }, [], []],
  ['an optional field is added', {}, { grams: grams.optional() }, [], []],
  ['a field with a default is added', {}, { grams: grams.default(1) }, [], []],
  ['an optional field is removed', { grams: grams.optional() }, {}, [], []],
  ['a required field is added', {}, { grams }, [], ['new-required-field grams']],
  ['a required field is removed', { grams }, {}, ['removed-field grams'], []],
  ['a field is renamed', { grams }, { weight: grams }, ['renamed-field grams'], ['renamed-field weight']],
  ['a field becomes optional', { grams }, { grams: grams.optional() }, ['field-now-optional grams'], []],
  ['a field becomes required', { grams: grams.optional() }, { grams }, [], ['field-now-required grams']],
  ['a field gets a default', { grams }, { grams: grams.default(5) }, [], []],
  ['a default goes', { grams: grams.default(5) }, { grams }, [], []],
  ['a number becomes text', { grams }, { grams: z.string() }, ['changed-type grams'], ['changed-type grams']],
  ['an integer becomes any number', { grams: z.int() }, { grams: z.number() }, ['widened-type grams'], []],
  ['a field may be null', { grams }, { grams: grams.nullable() }, ['widened-nullability grams'], []],
  ['a field may no longer be null', { grams: grams.nullable() }, { grams }, [], ['narrowed-nullability grams']],
  ['a range is widened', { grams }, { grams: z.int().min(0).max(100) }, ['widened-range grams'], []],
  ['a range is narrowed', { grams }, { grams: z.int().min(1).max(99) }, [], ['narrowed-range grams']],
  ['a range moves', { grams }, { grams: z.int().min(2).max(101) }, ['changed-range grams'], ['changed-range grams']],
  ['a bound becomes exclusive', { g: z.number().min(1) }, { g: z.number().gt(1) }, [], ['narrowed-range g']],
  ['a step is demanded', { g: z.int() }, { g: z.int().multipleOf(5) }, [], ['narrowed-range g']],
  ['a text may be longer', { t: z.string().max(5) }, { t: z.string().max(6) }, ['widened-length t'], []],
  ['a text must be longer', { t: z.string() }, { t: z.string().min(1) }, [], ['narrowed-length t']],
  ['a text may be of any length', { t: z.string().max(5) }, { t: z.string() }, ['widened-length t'], []],
  ['a pattern is added', { t: z.string() }, { t: z.string().regex(/^a/) }, [], ['narrowed-pattern t']],
  ['a pattern is removed', { t: z.string().regex(/^a/) }, { t: z.string() }, ['widened-pattern t'], []],
  [
    'a pattern is another',
    { t: z.string().regex(/^a/) },
    { t: z.string().regex(/^b/) },
    ['changed-pattern t'],
    ['changed-pattern t'],
  ],
  ['a text becomes an id', { t: z.string() }, { t: z.uuid() }, [], ['narrowed-pattern t', 'narrowed-format t']],
  ['a text is trimmed', { t: z.string().min(1) }, { t: z.string().trim().min(1) }, [], ['narrowed-format t']],
  ['a text is no longer trimmed', { t: z.string().trim().min(1) }, { t: z.string().min(1) }, ['widened-format t'], []],
  ['an enum value is added', { e: z.enum(['a']) }, { e: z.enum(['a', 'b']) }, ['enum-value-added e'], []],
  ['an enum value is removed', { e: z.enum(['a', 'b']) }, { e: z.enum(['a']) }, [], ['enum-value-removed e']],
  ['an enum becomes any text', { e: z.enum(['a']) }, { e: z.string() }, ['enum-value-added e'], []],
  ['any text becomes an enum', { e: z.string() }, { e: z.enum(['a']) }, [], ['enum-value-removed e']],
  ['a list may be longer', { l: z.array(line).max(2) }, { l: z.array(line).max(3) }, ['widened-length l'], []],
  ['a list may not be empty', { l: z.array(line) }, { l: z.array(line).min(1) }, [], ['narrowed-length l']],
  [
    'a field deep inside is removed',
    { l: z.array(line) },
    { l: z.array(line.omit({ quantity: true })) },
    ['removed-field l[].quantity'],
    [],
  ],
  [
    'a field deep inside is required',
    { l: z.array(line) },
    { l: z.array(line.extend({ name: z.string() })) },
    [],
    ['new-required-field l[].name'],
  ],
  ['a list becomes one', { l: z.array(line) }, { l: line }, ['changed-type l'], ['changed-type l']],
  [
    'an alternative is added',
    { scale },
    { scale: z.discriminatedUnion('by', [...scale.options, z.object({ by: z.literal('guess') })]) },
    ['enum-value-added scale.by'],
    [],
  ],
  [
    'a field of one alternative is required',
    { scale },
    { scale: z.discriminatedUnion('by', [scale.options[0], scale.options[1].extend({ serial: z.string() })]) },
    [],
    ['new-required-field scale.serial'],
  ],
  ['a type is added to a union', { u: z.string() }, { u: z.union([z.string(), z.int()]) }, ['widened-type u'], []],
  [
    'values of a map are narrowed',
    { m: z.record(z.string(), z.string()) },
    { m: z.record(z.string(), z.string().min(1)) },
    [],
    ['narrowed-length m{}'],
  ],
];

describe('the gate, told of one change', () => {
  it.each(changes)('%s', (_, before, after, whatOldReadersMiss, whatNewReadersMiss) => {
    const [was, is] = [parcel(before), parcel(after)];
    const findings = check([was], [is]);
    expect({ [NEW]: breaksOf(findings, NEW), [OLD]: breaksOf(findings, OLD) }).toEqual({
      [NEW]: whatOldReadersMiss,
      [OLD]: whatNewReadersMiss,
    });
    // The verdict is that of the schemas themselves: what passes is always read, and of what breaks there is an example.
    expect(isAlwaysRead(is, was)).toBe(whatOldReadersMiss.length === 0);
    expect(isAlwaysRead(was, is)).toBe(whatNewReadersMiss.length === 0);
    for (const { verdict, detail, todo } of findings) {
      expect(detail).not.toBe('');
      if (verdict === 'breaks') expect(todo).toMatch(/v2|z\.object/);
    }
  });

  it('says what is fine and why', () => {
    const findings = check([parcel({ grams: grams.optional() })], [parcel({ by: z.string().optional() })]);
    expect(findings.map(({ verdict, what, field }) => [verdict, what, field])).toEqual([
      ['fine', 'optional-field-added', 'by'],
      ['fine', 'optional-field-removed', 'grams'],
    ]);
  });

  it('tells what to do in words that can be followed', () => {
    const [finding] = check([parcel({ grams })], [parcel({})]);
    expect(finding).toEqual({
      release: '0.1.0',
      verdict: 'breaks',
      message: 'millrace.ParcelWeighed.v1',
      field: 'grams',
      direction: NEW,
      what: 'removed-field',
      detail: 'is not written, and required',
      todo: expect.stringMatching(
        /^go on saying it, or make a v2: .*earlier: \{ contract: ParcelWeighedV1, upcast, downcast \}/,
      ),
    });
  });

  it.each<readonly [string, readonly AnyContract[], string]>([
    ['moves to another topic', [parcel({ grams }, { topic: topics.orderEvents })], 'changed-topic'],
    ['is keyed by another field', [parcel({ grams }, { key: 'grams' })], 'changed-key'],
    [
      'is called something else on the wire',
      [{ ...parcel({ grams }), wireType: 'x' } as AnyContract],
      'changed-wire-type',
    ],
  ])('a message that %s', (_, after, what) => {
    const found = check([parcel({ grams })], after).filter(({ verdict }) => verdict === 'breaks');
    expect(found.map((finding) => finding.what)).toEqual([what]);
    expect(check(after, after)).toEqual([]);
  });

  it('a message that is no more', () => {
    const findings = check([parcel({ grams })], []);
    expect(findings.map(({ what, direction }) => [what, direction])).toEqual([
      ['removed-message', NEW],
      ['removed-message', OLD],
    ]);
  });

  it('a new message is nothing to old readers', () => {
    const findings = check([], [parcel({ grams })]);
    expect(findings.map(({ verdict, what }) => [verdict, what])).toEqual([['fine', 'new-message']]);
  });

  it('a header that is called something else', () => {
    const before = releaseOf([]);
    const findings = compare({ ...before, headers: { ...before.headers, id: 'x-id' } }, snapshotOf([]));
    expect(findings).toMatchObject([{ verdict: 'breaks', what: 'changed-header', field: 'x-id' }]);
  });

  it('a meaning that changed is for people to judge', () => {
    const findings = check([parcel({ grams })], [parcel({ grams }, { meaning: 'Measured.' })]);
    expect(findings).toMatchObject([{ verdict: 'fine', what: 'changed-meaning' }]);
  });
});

describe('the gate, told of a new version', () => {
  const v1 = parcel({ grams });
  const upcast = (old: unknown) => ({ ...(old as object), by: 'unknown' });
  const downcast = (old: unknown) => old;
  const v2 = (earlier: object) =>
    parcel({ grams, by: z.string() }, { version: 2, earlier: { contract: v1, ...earlier } });
  const breaks = (findings: readonly Finding[]) =>
    findings.filter(({ verdict }) => verdict === 'breaks').map(({ what }) => what);

  it('lets it pass beside the old one, which is still said and read', () => {
    expect(breaks(check([v1], [v2({ upcast, downcast })]))).toEqual([]);
  });

  it('stops it when old readers would hear nothing, until none of them runs', () => {
    const silent = [v2({ upcast })];
    expect(breaks(check([v1], silent))).toEqual(['version-not-said']);
    expect(breaks(check([v1], silent, 'messages'))).toEqual([]);
  });

  it('stops it when old messages would be understood by nobody, until none of them waits', () => {
    const forgetful = [parcel({ grams, by: z.string() }, { version: 2 })];
    expect(breaks(check([v1], forgetful, 'messages'))).toEqual(['version-not-read']);
    expect(breaks(check([v1], forgetful, 'none'))).toEqual([]);
  });

  it('never lets go of what a compacted topic keeps for ever', () => {
    const kept = (fields: z.ZodRawShape, changed = {}) => parcel(fields, { topic: topics.catalogEvents, ...changed });
    expect(breaks(check([kept({ grams })], [kept({ by: z.string() })], 'none'))).toEqual(['new-required-field']);
    expect(breaks(check([kept({ grams })], [kept({ by: z.string() }, { version: 2 })], 'none'))).toEqual([
      'version-not-read',
    ]);
  });

  it('looks at the old version as closely as at any', () => {
    const changed = parcel({});
    const next = parcel({ by: z.string() }, { version: 2, earlier: { contract: changed, upcast, downcast } });
    expect(breaks(check([v1], [next]))).toEqual(['removed-field']);
  });
});

describe('what the gate demands at any time', () => {
  it('holds for the catalogue, whose messages are all comparable with themselves', () => {
    expect(selfCheck(snapshotOf(catalogue))).toEqual([]);
    expect(check(catalogue, catalogue)).toEqual([]);
  });

  it('refuses an object that tolerates no unknown field, and names it', () => {
    const closed = parcel({ box: z.strictObject({ grams }) });
    expect(selfCheck(snapshotOf([closed]))).toMatchObject([{ what: 'closed-object', field: 'box' }]);
  });

  it('refuses a rule that JSON Schema cannot say', () => {
    const odd = parcel({ grams: grams.refine((value) => value % 2 === 1) });
    expect(() => snapshotOf([odd])).toThrow(/millrace\.ParcelWeighed\.v1 has a refinement of its own/);
    expect(() => snapshotOf([parcel({ at: z.date() })])).toThrow(/cannot be described/);
    expect(() => snapshotOf([parcel({ at: z.string().transform(Number) })])).toThrow(/cannot be described/);
  });
});

/** Fields of many kinds, and others made of them by one small change. */
const text = fc.record({
  min: fc.integer({ min: 0, max: 2 }),
  max: fc.integer({ min: 3, max: 5 }),
  isIded: fc.boolean(),
});
const scalar = fc.oneof(
  text.map(({ min, max, isIded }) => (isIded ? z.string().regex(/^[a-c]*$/) : z.string()).min(min).max(max)),
  fc
    .tuple(fc.integer({ min: -3, max: 0 }), fc.integer({ min: 1, max: 3 }))
    .map(([min, max]) => z.int().min(min).max(max)),
  fc.constantFrom(z.number(), z.boolean(), z.string(), z.uuid(), z.iso.datetime(), z.email()),
  fc.subarray(['a', 'b', 'c'], { minLength: 1 }).map((values) => z.enum(values)),
);
const { field } = fc.letrec<{ field: z.ZodType; inner: z.ZodType }>((tie) => ({
  inner: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc
      .tuple(tie('field'), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 2, max: 3 }))
      .map(([item, min, max]) => z.array(item).min(min).max(max)),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('field'), { maxKeys: 3 }).map((shape) => z.object(shape)),
    fc.tuple(tie('inner'), tie('inner')).map(([one, other]) => z.union([one, other])),
  ),
  field: fc
    .tuple(tie('inner'), fc.constantFrom('required', 'required', 'optional', 'nullable', 'nullish'))
    .map(([inner, how]) =>
      how === 'optional'
        ? inner.optional()
        : how === 'nullable'
          ? inner.nullable()
          : how === 'nullish'
            ? inner.nullish()
            : inner,
    ),
}));
const shape = fc.dictionary(fc.constantFrom('a', 'b', 'c'), field, { maxKeys: 3 });

describe('the gate, told of any two contracts', () => {
  it('lets pass only what is always read, in either direction', () => {
    let passed = 0;
    fc.assert(
      fc.property(shape, shape, fc.subarray(['a', 'b', 'c']), (one, other, same) => {
        // Contracts that share most of their fields pass often enough to say something.
        const mixed = { ...other, ...Object.fromEntries(Object.entries(one).filter(([name]) => same.includes(name))) };
        const [was, is] = [parcel(one), parcel(mixed)];
        const findings = check([was], [is]);
        for (const [direction, writer, reader] of [
          [NEW, is, was],
          [OLD, was, is],
        ] as const) {
          if (breaksOf(findings, direction).length > 0) continue;
          passed += 1;
          const wire = arbitraryOf(writtenSchema(writer));
          fc.assert(
            fc.property(wire, (body) => reader.schema.safeParse(body).success),
            { numRuns: 30, endOnFailure: true },
          );
        }
      }),
      { numRuns: 200, endOnFailure: true },
    );
    expect(passed).toBeGreaterThan(20);
  });
});
