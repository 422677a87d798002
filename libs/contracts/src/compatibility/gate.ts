import { isSame, type JsonSchema } from './json-schema.ts';
import { type Misfit, misfits } from './misfits.ts';
import type { MessageSnapshot, Release, Snapshot } from './snapshot.ts';

/** Who meets what: readers of the release and what is said now, or the other way round. */
export type Direction = 'old readers, new messages' | 'new readers, old messages';

/** One difference between a release and the present. */
export interface Finding {
  readonly release: string;
  readonly verdict: 'breaks' | 'fine';
  /** The wire type, or `every message`. */
  readonly message: string;
  /** Such as `lines[].unitPrice`; empty where it is about the whole message. */
  readonly field: string;
  readonly direction?: Direction;
  /** A slug for what happened, such as `removed-field`. */
  readonly what: string;
  readonly detail: string;
  /** What to do, in a sentence. */
  readonly todo: string;
}

type Change = Omit<Finding, 'release' | 'message'>;

/** Everything that differs between a release and the present, with what breaks first. */
export function compare(release: Release, present: Snapshot): readonly Finding[] {
  const findings: Finding[] = [];
  const note = (message: string, changes: readonly Change[]): void => {
    findings.push(...changes.map((change) => ({ release: release.version, message, ...change })));
  };
  note('every message', headerChanges(release, present));
  for (const [type, versions] of Map.groupBy(release.messages, ({ message }) => message)) {
    const now = present.messages.filter(({ message }) => message === type);
    note(versions[0]?.wireType ?? type, saidChanges(release, versions, now));
    for (const before of versions) {
      const after = now.find(({ version }) => version === before.version);
      note(
        before.wireType,
        after === undefined ? lostVersion(release, before, now) : changesOf(release, before, after),
      );
    }
  }
  for (const { wireType, message, version } of present.messages) {
    if (release.messages.some((before) => before.message === message && before.version === version)) continue;
    const isNew = release.messages.every((before) => before.message !== message);
    const detail = isNew ? 'old readers pass over what they have never heard of' : 'earlier versions stay as they are';
    note(wireType, [{ verdict: 'fine', field: '', what: isNew ? 'new-message' : 'new-version', detail, todo: '' }]);
  }
  return findings.toSorted((a, b) => Number(b.verdict === 'breaks') - Number(a.verdict === 'breaks'));
}

/** What must hold at any time: readers tolerate fields they do not know, and every reader understands its own writer. */
export function selfCheck(present: Snapshot): readonly Finding[] {
  return present.messages.flatMap(({ wireType, schema, written }) => {
    const closed = [...fieldsOf(schema)].filter(([, field]) => field['additionalProperties'] === false);
    const refused = misfits(written, schema);
    return [
      ...closed.map(([field]) => ({
        field,
        what: 'closed-object',
        detail: 'refuses fields that it does not know, so nothing can ever be added',
        todo: 'declare it with z.object instead of z.strictObject',
      })),
      ...refused.map(({ path, detail }) => ({
        field: path,
        what: 'unreadable',
        detail: `is refused by its own reader: ${detail}`,
        todo: 'let the schema accept what it produces',
      })),
    ].map((finding) => ({ release: 'present', message: wireType, verdict: 'breaks' as const, ...finding }));
  });
}

function headerChanges(release: Release, present: Snapshot): readonly Change[] {
  return Object.entries(release.headers).flatMap(([fact, header]) =>
    present.headers[fact] === header || release.support === 'none'
      ? []
      : [
          {
            verdict: 'breaks' as const,
            field: header,
            what: 'changed-header',
            detail: `the header is called ${present.headers[fact] ?? 'nothing'} now`,
            todo: 'leave the names of headers alone; add new ones beside them',
          },
        ],
  );
}

/** Readers of the release must hear of it in a version that they know. */
function saidChanges(
  { version, support }: Release,
  versions: readonly MessageSnapshot[],
  now: readonly MessageSnapshot[],
): readonly Change[] {
  const known = new Set(versions.map((each) => each.version));
  if (support !== 'full' || now.some((each) => each.isSaid && known.has(each.version))) return [];
  const [newest] = versions;
  const until = `until no build of ${version} runs (\`pnpm contracts:support ${version} messages\`)`;
  return missing('old readers, new messages', now, {
    what: 'version-not-said',
    detail: `nobody says ${newest?.wireType} any more, and readers of ${version} wait for it`,
    todo: `keep \`downcast\` in version ${(newest?.version ?? 0) + 1} ${until}`,
    todoWhenRemoved: `go on saying it ${until}`,
  });
}

function lostVersion(release: Release, before: MessageSnapshot, now: readonly MessageSnapshot[]): readonly Change[] {
  if (!before.isSaid || !mayWait(release, before)) return [];
  return missing('new readers, old messages', now, {
    what: 'version-not-read',
    detail: `messages of ${release.version} may wait, and nobody would understand them`,
    todo: `keep version ${before.version} as \`earlier\` of the next one, with \`upcast\``,
    todoWhenRemoved: 'keep the contract until none of its messages can be left',
  });
}

/** A version that somebody needs is missing, of a message that has others `now`, or is removed altogether. */
function missing(
  direction: Direction,
  now: readonly MessageSnapshot[],
  {
    what,
    detail,
    todo,
    todoWhenRemoved,
  }: Pick<Change, 'what' | 'detail' | 'todo'> & { readonly todoWhenRemoved: string },
): readonly Change[] {
  const change = { verdict: 'breaks', field: '', direction, detail } as const;
  return [now.length > 0 ? { ...change, what, todo } : { ...change, what: 'removed-message', todo: todoWhenRemoved }];
}

/** Whether messages of a release may still be read: a compacted topic keeps its last ones for ever. */
function mayWait({ support }: Release, { cleanup }: MessageSnapshot): boolean {
  return support !== 'none' || cleanup === 'compact';
}

function changesOf(release: Release, before: MessageSnapshot, after: MessageSnapshot): readonly Change[] {
  const changes: Change[] = [];
  const hears = release.support === 'full' && after.isSaid;
  const reads = before.isSaid && mayWait(release, before);
  if (!hears && !reads) return changes;
  for (const fact of ['wireType', 'topic', 'key'] as const) {
    if (before[fact] === after[fact]) continue;
    changes.push({
      verdict: 'breaks',
      field: fact === 'key' ? before.key : '',
      what: fact === 'wireType' ? 'changed-wire-type' : `changed-${fact}`,
      detail: `the ${fact === 'wireType' ? 'wire type' : fact} was ${before[fact]} and is ${after[fact]}`,
      todo: `leave it at ${before[fact]}: a message that moves loses its readers and its order; what is different is a new message`,
    });
  }
  const lost = hears ? misfits(after.written, before.schema) : [];
  const refused = reads ? misfits(before.written, after.schema) : [];
  const fields = { before: fieldsOf(before.schema), after: fieldsOf(after.schema) };
  changes.push(
    ...lost.map((misfit) => breaking('old readers, new messages', misfit, refused, fields, after)),
    ...refused.map((misfit) => breaking('new readers, old messages', misfit, lost, fields, after)),
    ...harmless(fields, [...lost, ...refused]),
  );
  if (before.meaning !== after.meaning) {
    const todo = 'fine if the words are better; if the sense is another, it is a new message';
    changes.push({ verdict: 'fine', field: '', what: 'changed-meaning', detail: `it was: ${before.meaning}`, todo });
  }
  return changes;
}

interface Fields {
  readonly before: ReadonlyMap<string, JsonSchema>;
  readonly after: ReadonlyMap<string, JsonSchema>;
}

function breaking(
  direction: Direction,
  { path, kind, detail }: Misfit,
  others: readonly Misfit[],
  fields: Fields,
  { message, version }: MessageSnapshot,
): Change {
  const isNew = direction === 'new readers, old messages';
  const next = `make a v${version + 1}: leave ${message} v${version} as it is, and define version ${version + 1} with \`earlier: { contract: ${message}V${version}, upcast, downcast }\``;
  const change = { verdict: 'breaks', field: path, direction } as const;
  const twin = isNew ? twinOf(path, fields.after, fields.before) : twinOf(path, fields.before, fields.after);
  if (kind === 'missing' && twin !== undefined) {
    const how = isNew ? `was called ${twin}` : `is called ${twin} now`;
    return { ...change, what: 'renamed-field', detail: how, todo: `keep the name, or ${next}` };
  }
  if (kind === 'missing') {
    return isNew
      ? { ...change, what: 'new-required-field', detail, todo: `make it optional or give it a default, or ${next}` }
      : { ...change, what: 'removed-field', detail, todo: `go on saying it, or ${next}` };
  }
  if (kind === 'may-be-missing') {
    return isNew
      ? { ...change, what: 'field-now-required', detail, todo: `leave it optional, or ${next}` }
      : { ...change, what: 'field-now-optional', detail, todo: `leave it required, or ${next}` };
  }
  if (kind === 'value') {
    return isNew
      ? { ...change, what: 'enum-value-removed', detail, todo: `keep the value, or ${next}` }
      : { ...change, what: 'enum-value-added', detail, todo: next };
  }
  if (kind === 'unknown-field') return { ...change, what: 'closed-object', detail, todo: 'declare it with z.object' };
  const isBoth = others.some((other) => other.path === path && other.kind === kind);
  const how = isBoth ? 'changed' : isNew ? 'narrowed' : 'widened';
  const noun = { type: 'type', null: 'nullability', 'not-comparable': 'rule' }[kind as string] ?? kind;
  return { ...change, what: `${how}-${noun}`, detail, todo: next };
}

/** A field that exists on the other side only, in the same object and with the same schema: probably the same under another name. */
function twinOf(path: string, here: Fields['before'], there: Fields['before']): string | undefined {
  const schema = here.get(path);
  const parent = parentOf(path);
  return [...there].find(
    ([other, twin]) => !here.has(other) && parentOf(other) === parent && isSame(twin, schema),
  )?.[0];
}

const parentOf = (path: string): string =>
  path.endsWith('[]') ? path.slice(0, -2) : path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** Fields that came or went without hurting anybody. */
function harmless({ before, after }: Fields, hurting: readonly Misfit[]): readonly Change[] {
  const isHarmless = (path: string): boolean => !hurting.some((misfit) => misfit.path === path);
  const changed = (here: Fields['before'], there: Fields['before']): readonly string[] =>
    [...here.keys()].filter((path) => path !== '' && !there.has(path) && there.has(parentOf(path)) && isHarmless(path));
  return [
    ...changed(after, before).map((field) => ({
      verdict: 'fine' as const,
      field,
      what: 'optional-field-added',
      detail: 'old readers drop it, new ones do without it',
      todo: '',
    })),
    ...changed(before, after).map((field) => ({
      verdict: 'fine' as const,
      field,
      what: 'optional-field-removed',
      detail: 'old readers do without it, new ones drop it',
      todo: 'fine if nobody needs it; a reader that did is not told',
    })),
  ];
}

/** Every object and field of a schema by its path, the body itself under the empty one. */
export function fieldsOf(schema: JsonSchema, path = ''): ReadonlyMap<string, JsonSchema> {
  const found = new Map<string, JsonSchema>([[path, schema]]);
  const add = (part: unknown, at: string): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const [place, field] of fieldsOf(part as JsonSchema, at)) {
      if (!found.has(place)) found.set(place, field);
    }
  };
  for (const [name, field] of Object.entries((schema['properties'] ?? {}) as JsonSchema)) {
    add(field, path === '' ? name : `${path}.${name}`);
  }
  add(schema['items'], `${path}[]`);
  for (const option of [schema['anyOf'], schema['oneOf']].flat()) add(option, path);
  return found;
}
