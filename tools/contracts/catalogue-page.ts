import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  compare,
  fieldsOf,
  type Finding,
  type JsonSchema,
  type MessageSnapshot,
  type Release,
  type Snapshot,
} from '../../libs/contracts/src/compatibility/index.ts';
import { headerNames } from '../../libs/contracts/src/index.ts';
import type { StoryRecord } from '../../libs/contracts/src/fixtures/stories.ts';
import type { Talk } from './speakers.ts';

/** What the page is made of: the same that the files in the repository are made of. */
export interface CatalogueFacts {
  readonly present: Snapshot;
  readonly releases: readonly Release[];
  readonly talks: readonly Talk[];
  readonly stories: readonly StoryRecord[];
}

/** Every message with who says and hears it, its fields, an example and its history, on one page that needs nothing but itself. */
export function cataloguePage(facts: CatalogueFacts): string {
  const part = (name: string): string => readFileSync(join(import.meta.dirname, 'page', name), 'utf8');
  const messages = facts.present.messages.toSorted(
    (a, b) => a.message.localeCompare(b.message) || b.version - a.version,
  );
  const topics = [...new Set(messages.map(({ topic }) => topic))].toSorted();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>Millrace: what is said on Kafka</title>
<style>
${part('style.css')}</style>
</head>
<body>
<header>
<h1>What is said on Kafka</h1>
<p class="quiet">${messages.length} messages on ${topics.length} topics. Written by <code>pnpm contracts:generate</code> from the contracts.</p>
</header>
<main>
<form>
<input name="words" type="search" placeholder="Search names, fields, meanings" aria-label="Search" />
${select(
  'service',
  'any service',
  facts.talks.map(({ service }) => service),
)}
${select('topic', 'any topic', topics)}
<output></output>
</form>
${messages.map((message) => article(message, facts)).join('\n')}
</main>
<script>
${part('filter.js')}</script>
</body>
</html>
`;
}

function select(name: string, any: string, options: readonly string[]): string {
  const choices = options.map((option) => `<option>${escaped(option)}</option>`).join('');
  return `<select name="${name}" aria-label="${name}"><option value="">${any}</option>${choices}</select>`;
}

function article(snapshot: MessageSnapshot, { present, releases, talks, stories }: CatalogueFacts): string {
  const { message, version, wireType, topic, key, meaning, schema, isSaid } = snapshot;
  const speakers = talks.filter(({ says }) => says.some(({ type }) => type === message)).map(({ service }) => service);
  const groups = talks.flatMap((talk) => talk.groups).filter(({ hears }) => hears.some(({ type }) => type === message));
  const services = new Set([...speakers, ...groups.map(({ service }) => service)]);
  const fields = [...fieldsOf(schema)].filter(([path]) => path !== '' && !path.endsWith('[]'));
  const words = [message, wireType, topic, meaning, ...services, ...fields.map(([path]) => path)]
    .join(' ')
    .toLowerCase();
  const example = stories.find(({ headers }) => headers[headerNames.type] === wireType);
  const said = isSaid ? listed(speakers, 'nobody yet') : 'nobody any more';
  return `<article id="${message}.v${version}" data-topic="${escaped(topic)}" data-services="${[...services].join(' ')}" data-words="${escaped(words)}">
<h2><a href="#${message}.v${version}">${message}</a> <span class="quiet">v${version}</span></h2>
<p>${escaped(meaning)}</p>
<p><code>${wireType}</code> on <code>${topic}</code>, key <code>${key}</code></p>
<p>Said by ${said}. Heard by ${listed(
    groups.map(({ name }) => `<code>${name}</code>`),
    'nobody',
  )}.</p>
<details>
<summary>Fields, example, history</summary>
<h3>Fields</h3>
<table><thead><tr><th>field</th><th>type</th><th>rules</th></tr></thead><tbody>
${fields.map(([path, field]) => `<tr><td><code>${escaped(path)}</code>${isRequired(path, schema) ? '' : ' <span class="quiet">optional</span>'}</td><td>${escaped(typeOf(field))}</td><td>${rulesOf(field)}</td></tr>`).join('\n')}
</tbody></table>
<h3>Example</h3>
${example === undefined ? '<p class="quiet">none</p>' : `<pre>${escaped(exampleText(example))}</pre>`}
<h3>History</h3>
${history(wireType, releases, present)}
</details>
</article>`;
}

const listed = (names: readonly string[], none: string): string => (names.length === 0 ? none : names.join(', '));

function isRequired(path: string, schema: JsonSchema): boolean {
  const dot = path.lastIndexOf('.');
  const parent = fieldsOf(schema).get(path.slice(0, Math.max(0, dot)));
  return ((parent?.['required'] ?? []) as readonly string[]).includes(path.slice(dot + 1));
}

function typeOf({ type, const: value, enum: values, anyOf, oneOf, items }: JsonSchema): string {
  if (value !== undefined) return JSON.stringify(value);
  if (values !== undefined) return (values as unknown[]).map((each) => JSON.stringify(each)).join(' | ');
  const options = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined;
  if (options !== undefined) return options.map(typeOf).join(' | ');
  return type === 'array'
    ? `list of ${typeOf((items ?? {}) as JsonSchema)}`
    : ([type ?? 'anything'].flat() as string[]).join(' | ');
}

const MAX_PATTERN_LENGTH = 40;

function rulesOf(field: JsonSchema): string {
  const limits = ['format', 'minimum', 'exclusiveMinimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'];
  const rules = limits
    .filter((rule) => field[rule] !== undefined && Math.abs(Number(field[rule])) !== Number.MAX_SAFE_INTEGER)
    .map((rule) => `${rule} ${String(field[rule])}`);
  const patterns = [field, ...((field['allOf'] ?? []) as readonly JsonSchema[])].map(({ pattern }) => pattern);
  for (const pattern of patterns.filter((each) => typeof each === 'string')) {
    const short = pattern.length > MAX_PATTERN_LENGTH ? `${pattern.slice(0, MAX_PATTERN_LENGTH)}…` : pattern;
    rules.push(`<code title="${escaped(pattern)}">${escaped(short)}</code>`);
  }
  return rules.join(', ');
}

function exampleText({ key, value, headers }: StoryRecord): string {
  const lines = Object.entries(headers).map(([name, text]) => `${name}: ${text}`);
  return `key: ${key}\n${lines.join('\n')}\n\n${JSON.stringify(JSON.parse(value), undefined, 2)}`;
}

/** In which releases it is, and what changed from each to the next. */
function history(wireType: string, releases: readonly Release[], present: Snapshot): string {
  const steps = releases.map((release, index): readonly [Release, Snapshot, string] => {
    const next = releases[index + 1];
    return [release, next ?? present, next?.version ?? 'now'];
  });
  const lines = steps.flatMap(([release, next, until]) => {
    const isIn = release.messages.some((message) => message.wireType === wireType);
    const about = compare({ ...release, support: 'full' }, next).filter(({ message }) => message === wireType);
    return [
      ...(isIn ? [`<li>${release.version}, ${release.released}</li>`] : []),
      ...about.map((finding) => `<li>${until}: ${changeText(finding)}</li>`),
    ];
  });
  return `<ul>${lines.join('') || '<li>not released yet</li>'}</ul>`;
}

function changeText({ verdict, what, field, detail }: Finding): string {
  const text = escaped(`${what.replaceAll('-', ' ')} ${field}: ${detail}`);
  return verdict === 'breaks' ? `<span class="breaks">${text}</span>` : text;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
