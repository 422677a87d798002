/** The text of a mail before anything is put into it. */
export interface Template<Placeholder extends string = string> {
  render(values: Readonly<Record<Placeholder, string>>): { readonly subject: string; readonly text: string };
}

const SUBJECT = /^Subject: (.+)$/;
const PLACEHOLDER = /\{\{([A-Za-z]+)\}\}/g;

/**
 * Parses a template: a line `Subject: …`, an empty line, the text; `{{name}}` stands for a value. Throws an `Error` that
 * lists everything that is wrong with it. Values are put in as they are and never read as templates themselves.
 */
export function parseTemplate<Placeholder extends string>(
  name: string,
  source: string,
  placeholders: readonly Placeholder[],
): Template<Placeholder> {
  const [first = '', second, ...rest] = source.replaceAll('\r\n', '\n').trimEnd().split('\n');
  const subject = SUBJECT.exec(first)?.[1];
  const text = `${rest.join('\n')}\n`;
  const wrongs = [
    ...(subject === undefined ? ['its first line must be "Subject: …"'] : []),
    ...(second === '' ? [] : ['its second line must be empty']),
    ...(text.trim() === '' ? ['it has no text'] : []),
    ...wrongPlaceholders(source, placeholders),
  ];
  if (wrongs.length > 0) throw new Error(`the template ${name} is wrong: ${wrongs.join('; ')}`);
  return { render: (values) => ({ subject: filled(subject ?? '', values), text: filled(text, values) }) };
}

function wrongPlaceholders(source: string, known: readonly string[]): string[] {
  const used = new Set([...source.matchAll(PLACEHOLDER)].map(([, placeholder = '']) => placeholder));
  const unknown = [...used].filter((placeholder) => !known.includes(placeholder));
  const leftOver = source.replaceAll(PLACEHOLDER, '');
  return [
    ...unknown.map(
      (placeholder) => `it knows no {{${placeholder}}}, only ${known.map((each) => `{{${each}}}`).join(', ')}`,
    ),
    ...(/\{\{|\}\}/.test(leftOver) ? ['a "{{" or "}}" belongs to no placeholder'] : []),
  ];
}

function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(PLACEHOLDER, (_, placeholder: string) => values[placeholder] ?? '');
}
