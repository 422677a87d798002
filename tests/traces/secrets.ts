import type { TraceSpan } from './span.ts';

/** What customers of the tour have that nobody may read in a trace: addresses of both kinds, names, and what they pay with. */
const SECRETS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['an e-mail address', /[\w.+-]+@[\w-]+\.\w+/],
  ['a street', /Marktplatz|Mill Lane/i],
  ['a town', /Berlin/],
  ['a name', /\b(Ada|Ben|Cleo|Dora|Emil|Fay|Guest\d+|Lovelace)\b/],
  ['a payment token', /tok_\w+/],
  ['a customer', /\b(ada|ben|cleo|dora|emil|fay|guest\d+)-[0-9a-f]{6}\b/],
];

/** Each place in which a span tells something personal. */
export function secretsIn(spans: readonly TraceSpan[]): readonly string[] {
  return spans.flatMap(({ name, attributes, events }) => {
    const texts = [
      name,
      ...Object.values(attributes),
      ...events.flatMap((event) => [event.name, ...Object.values(event.attributes)]),
    ].map(String);
    return SECRETS.flatMap(([what, pattern]) =>
      texts.filter((text) => pattern.test(text)).map((text) => `"${name}" tells ${what}: ${text}`),
    );
  });
}
