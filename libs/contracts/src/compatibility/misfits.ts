import { z } from 'zod';
import { isSame, type JsonSchema, NORMALIZES } from './json-schema.ts';

/** Where something that may be written is refused by the reader, and why. */
export interface Misfit {
  /** Such as `lines[].unitPrice.currency`; empty for the body itself. */
  readonly path: string;
  readonly kind:
    | 'missing'
    | 'may-be-missing'
    | 'type'
    | 'null'
    | 'value'
    | 'range'
    | 'length'
    | 'pattern'
    | 'format'
    | 'unknown-field'
    | 'not-comparable';
  readonly detail: string;
}

const ANNOTATIONS = new Set(['$schema', '$id', 'title', 'description', 'default', 'examples', 'deprecated', 'id']);
const UNDERSTOOD = new Set([
  ...['type', 'const', 'enum', 'anyOf', 'oneOf', 'allOf', 'pattern', 'format', 'minLength', 'maxLength', NORMALIZES],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'items', 'prefixItems', 'minItems'],
  ...['maxItems', 'properties', 'required', 'additionalProperties', 'propertyNames', 'not'],
]);

/**
 * Every way in which what is written by `written` may be refused by a reader of `read`. Empty means that the reader accepts
 * whatever the writer can write: where that cannot be told, there is a misfit of kind `not-comparable`.
 */
export function misfits(written: unknown, read: unknown, path = ''): readonly Misfit[] {
  const reader = asSchema(read);
  if (isAnything(reader) || isNothing(asSchema(written))) return [];
  if (isNothing(reader)) return [{ path, kind: 'unknown-field', detail: 'must not be there' }];
  return alternativesOf(asSchema(written)).flatMap((one) => misfitsOfOne(one, reader, path));
}

function asSchema(schema: unknown): JsonSchema {
  if (schema === false) return { not: {} };
  return typeof schema === 'object' && schema !== null ? (schema as JsonSchema) : {};
}

function isAnything(schema: JsonSchema): boolean {
  return Object.keys(schema).every((keyword) => ANNOTATIONS.has(keyword));
}

function isNothing({ not }: JsonSchema): boolean {
  return not !== undefined && isAnything(asSchema(not));
}

/** The schema as a list of which each accepts a part of it: one value, or one type. */
function alternativesOf(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf, oneOf, enum: values, ...rest } = schema;
  if (values !== undefined) return (values as unknown[]).map((value) => ({ const: value }));
  const options = (anyOf ?? oneOf) as readonly unknown[] | undefined;
  if (options !== undefined) {
    return options.flatMap((option) => alternativesOf({ ...plain(rest), ...asSchema(option) }));
  }
  if (Array.isArray(schema['type'])) return (schema['type'] as string[]).map((type) => ({ ...schema, type }));
  return [schema];
}

function plain(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !ANNOTATIONS.has(keyword)));
}

function misfitsOfOne(written: JsonSchema, read: JsonSchema, path: string): readonly Misfit[] {
  const candidates = alternativesOf(read).map((schema) => ({ schema, found: misfitsOfPair(written, schema, path) }));
  if (candidates.some(({ found }) => found.length === 0)) return [];
  const expected = candidates.map(({ schema }) => schema);
  if ('const' in written) return [refusedValue(written['const'], expected, path)];
  // The alternative that was meant has the same tag, or the same type; of several, the one that fits best.
  const meant = candidates.filter(({ found }) => !found.some((each) => each.path === path && each.kind === 'type'));
  const tagged = meant.filter(({ schema }) => hasSameTag(written, schema));
  const [closest] = (tagged.length > 0 ? tagged : meant).toSorted((a, b) => a.found.length - b.found.length);
  if (closest !== undefined && written['type'] !== 'null') return closest.found;
  const kind = written['type'] === 'null' ? 'null' : 'type';
  return [{ path, kind, detail: `may be ${nameOf(written)}, expected is ${expected.map(nameOf).join(' or ')}` }];
}

function refusedValue(value: unknown, candidates: readonly JsonSchema[], path: string): Misfit {
  const expected = candidates.map(nameOf).join(' or ');
  const kind = value === null ? 'null' : candidates.some((each) => 'const' in each) ? 'value' : 'type';
  return { path, kind, detail: `may be ${JSON.stringify(value)}, expected is ${expected}` };
}

/** Whether two objects are told apart from others by the same constant field. */
function hasSameTag(written: JsonSchema, read: JsonSchema): boolean {
  const [ours, theirs] = [asSchema(written['properties']), asSchema(read['properties'])];
  return Object.entries(ours).some(
    ([name, tag]) => 'const' in asSchema(tag) && isSame(asSchema(tag)['const'], asSchema(theirs[name])['const']),
  );
}

function misfitsOfPair(written: JsonSchema, read: JsonSchema, path: string): readonly Misfit[] {
  if (isAnything(read) || isSame(plain(written), plain(read))) return [];
  const strange = Object.keys(read).find((keyword) => !UNDERSTOOD.has(keyword) && !ANNOTATIONS.has(keyword));
  if (strange !== undefined || isStrange(written) || isStrange(read)) {
    const what = strange === undefined ? 'rules that combine others' : `\`${strange}\``;
    return [{ path, kind: 'not-comparable', detail: `${what} cannot be compared, and differ` }];
  }
  if ('const' in written) return accepts(read, written['const']) ? [] : [refusedValue(written['const'], [read], path)];
  if ('const' in read) {
    return [{ path, kind: 'value', detail: `may be any ${nameOf(written)}, expected is ${nameOf(read)}` }];
  }
  const [ours, theirs] = [written['type'], read['type']];
  if (ours !== theirs && !(ours === 'integer' && theirs === 'number')) {
    return [{ path, kind: 'type', detail: `may be ${nameOf(written)}, expected is ${nameOf(read)}` }];
  }
  switch (theirs) {
    case 'string':
      return textMisfits(written, read, path);
    case 'integer':
    case 'number':
      return numberMisfits(written, read, path);
    case 'array':
      return listMisfits(written, read, path);
    case 'object':
      return objectMisfits(written, read, path);
    default:
      return [];
  }
}

/** Only patterns are combined by `allOf` in a way that can be looked into. */
function isStrange({ allOf, not }: JsonSchema): boolean {
  const parts = (allOf ?? []) as readonly JsonSchema[];
  return not !== undefined || parts.some((part) => Object.keys(part).some((keyword) => keyword !== 'pattern'));
}

function accepts(schema: JsonSchema, value: unknown): boolean {
  // What a value is made into is known of trimming only, which leaves a trimmed one as it is.
  if (NORMALIZES in schema && (schema[NORMALIZES] !== 'aB' || (typeof value === 'string' && value !== value.trim())))
    return false;
  return z.fromJSONSchema(plain(schema) as never).safeParse(value).success;
}

function nameOf(schema: JsonSchema): string {
  if ('const' in schema) return JSON.stringify(schema['const']);
  const { type } = schema;
  if (typeof type !== 'string') return 'anything';
  return type === 'null' ? 'null' : `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`;
}

function textMisfits(written: JsonSchema, read: JsonSchema, path: string): readonly Misfit[] {
  const found = lengthMisfits(written, read, path, 'minLength', 'maxLength');
  const ours = new Set(patternsOf(written));
  for (const pattern of patternsOf(read)) {
    if (!ours.has(pattern)) found.push({ path, kind: 'pattern', detail: `may not match ${pattern}` });
  }
  if (read['format'] !== undefined && read['format'] !== written['format']) {
    found.push({ path, kind: 'format', detail: `may be no ${JSON.stringify(read['format'])}` });
  }
  if (read[NORMALIZES] !== undefined && read[NORMALIZES] !== written[NORMALIZES]) {
    const detail = `is read as ${JSON.stringify(read[NORMALIZES])} where " aB " stands, and was not written so`;
    found.push({ path, kind: 'format', detail });
  }
  return found;
}

function patternsOf({ pattern, allOf = [] }: JsonSchema): readonly string[] {
  const all = (allOf as readonly JsonSchema[]).map((part) => part['pattern']);
  return [pattern, ...all].filter((each) => typeof each === 'string');
}

function numberMisfits(written: JsonSchema, read: JsonSchema, path: string): readonly Misfit[] {
  const found: Misfit[] = [];
  const [low, high] = [lowest(written), highest(written)];
  const [least, most] = [lowest(read), highest(read)];
  if (low.at < least.at || (low.at === least.at && !low.isOpen && least.isOpen)) {
    found.push({
      path,
      kind: 'range',
      detail: `may be ${low.at}, at least ${least.at}${exclusive(least)} is expected`,
    });
  }
  if (high.at > most.at || (high.at === most.at && !high.isOpen && most.isOpen)) {
    found.push({ path, kind: 'range', detail: `may be ${high.at}, at most ${most.at}${exclusive(most)} is expected` });
  }
  const step = read['multipleOf'];
  if (typeof step === 'number' && !isMultiple(written['multipleOf'], step)) {
    found.push({ path, kind: 'range', detail: `may be no multiple of ${step}` });
  }
  return found;
}

const exclusive = ({ isOpen }: { readonly isOpen: boolean }): string => (isOpen ? ', exclusive,' : '');
const isMultiple = (ours: unknown, step: number): boolean => typeof ours === 'number' && ours % step === 0;

interface Limit {
  readonly at: number;
  readonly isOpen: boolean;
}

function lowest({ type, minimum, exclusiveMinimum }: JsonSchema): Limit {
  if (type === 'integer' && typeof exclusiveMinimum === 'number')
    return { at: Math.floor(exclusiveMinimum) + 1, isOpen: false };
  const [closed, open] = [
    Number(minimum ?? Number.NEGATIVE_INFINITY),
    Number(exclusiveMinimum ?? Number.NEGATIVE_INFINITY),
  ];
  return open >= closed && exclusiveMinimum !== undefined ? { at: open, isOpen: true } : { at: closed, isOpen: false };
}

function highest({ type, maximum, exclusiveMaximum }: JsonSchema): Limit {
  if (type === 'integer' && typeof exclusiveMaximum === 'number')
    return { at: Math.ceil(exclusiveMaximum) - 1, isOpen: false };
  const [closed, open] = [
    Number(maximum ?? Number.POSITIVE_INFINITY),
    Number(exclusiveMaximum ?? Number.POSITIVE_INFINITY),
  ];
  return open <= closed && exclusiveMaximum !== undefined ? { at: open, isOpen: true } : { at: closed, isOpen: false };
}

function lengthMisfits(written: JsonSchema, read: JsonSchema, path: string, lower: string, upper: string): Misfit[] {
  const found: Misfit[] = [];
  const kind = 'length';
  const [low, high] = [Number(written[lower] ?? 0), Number(written[upper] ?? Number.POSITIVE_INFINITY)];
  const [least, most] = [Number(read[lower] ?? 0), Number(read[upper] ?? Number.POSITIVE_INFINITY)];
  if (low < least) found.push({ path, kind, detail: `may have ${low}, at least ${least} are expected` });
  if (high > most) {
    const many = high === Number.POSITIVE_INFINITY ? 'any number' : String(high);
    found.push({ path, kind, detail: `may have ${many}, at most ${most} are expected` });
  }
  return found;
}

function listMisfits(written: JsonSchema, read: JsonSchema, path: string): readonly Misfit[] {
  const found = lengthMisfits(written, read, path, 'minItems', 'maxItems');
  const [ours, theirs] = [placesOf(written), placesOf(read)];
  const count = Math.max(ours.length, theirs.length);
  for (let place = 0; place < count; place++) {
    const max = Number(written['maxItems'] ?? Number.POSITIVE_INFINITY);
    if (place < max)
      found.push(...misfits(ours[place] ?? written['items'], theirs[place] ?? read['items'], `${path}[${place}]`));
  }
  if (Number(written['maxItems'] ?? Number.POSITIVE_INFINITY) > count) {
    found.push(...misfits(written['items'], read['items'], `${path}[]`));
  }
  return found;
}

const placesOf = ({ prefixItems = [] }: JsonSchema): readonly unknown[] => prefixItems as readonly unknown[];

function objectMisfits(written: JsonSchema, read: JsonSchema, path: string): readonly Misfit[] {
  const [ours, theirs] = [asSchema(written['properties']), asSchema(read['properties'])];
  const [weRequire, theyRequire] = [requiredOf(written), requiredOf(read)];
  const [ourRest, theirRest] = [written['additionalProperties'] ?? true, read['additionalProperties'] ?? true];
  const found: Misfit[] = [];
  for (const [name, expected] of Object.entries(theirs)) {
    const place = path === '' ? name : `${path}.${name}`;
    const isWritten = name in ours;
    if (theyRequire.has(name) && !isWritten)
      found.push({ path: place, kind: 'missing', detail: 'is not written, and required' });
    else if (theyRequire.has(name) && !weRequire.has(name)) {
      found.push({ path: place, kind: 'may-be-missing', detail: 'may be left out, and is required' });
    }
    if (isWritten) found.push(...misfits(ours[name], expected, place));
    else if (ourRest !== false) found.push(...misfits(ourRest, expected, place));
  }
  for (const [name, given] of Object.entries(ours)) {
    if (!(name in theirs)) found.push(...misfits(given, theirRest, path === '' ? name : `${path}.${name}`));
  }
  if (ourRest !== false) found.push(...misfits(ourRest, theirRest, `${path}{}`));
  const names = asSchema(read['propertyNames']);
  if (!isAnything(names) && !isSame(names, { type: 'string' })) {
    const writtenNames = 'propertyNames' in written ? written['propertyNames'] : { enum: Object.keys(ours) };
    found.push(...misfits(ourRest === false ? { enum: Object.keys(ours) } : writtenNames, names, `${path}{name}`));
  }
  return found;
}

const requiredOf = ({ required = [] }: JsonSchema): ReadonlySet<string> => new Set(required as readonly string[]);
