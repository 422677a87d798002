import { describe, expect, it } from '@jest/globals';
import { parseTemplate } from './template.ts';

const parse = (source: string) => parseTemplate('test.txt', source, ['name', 'total']);

describe('a mail template', () => {
  it('puts values into subject and text', () => {
    const mail = parse('Subject: For {{name}}\n\nDear {{name}},\n{{total}} please.\n').render({
      name: 'Ada',
      total: '€1',
    });
    expect(mail).toEqual({ subject: 'For Ada', text: 'Dear Ada,\n€1 please.\n' });
  });

  it('never reads a value as a template', () => {
    const { text } = parse('Subject: Hi\n\n{{name}} owes {{total}}\n').render({ name: '{{total}}', total: "$& $1 $'" });
    expect(text).toBe("{{total}} owes $& $1 $'\n");
  });

  it('may be written with the line ends of Windows', () => {
    expect(parse('Subject: Hi\r\n\r\nText\r\n').render({ name: '', total: '' })).toEqual({
      subject: 'Hi',
      text: 'Text\n',
    });
  });

  it.each([
    ['an unknown placeholder', 'Subject: Hi\n\n{{nam}}', 'it knows no {{nam}}, only {{name}}, {{total}}'],
    ['a placeholder that is not closed', 'Subject: Hi\n\n{{name', 'a "{{" or "}}" belongs to no placeholder'],
    ['a placeholder with a space', 'Subject: Hi\n\n{{ name }}', 'a "{{" or "}}" belongs to no placeholder'],
    ['no subject', 'Hello\n\ntext', 'its first line must be "Subject: …"'],
    ['an empty subject', 'Subject: \n\ntext', 'its first line must be "Subject: …"'],
    ['no empty line after the subject', 'Subject: Hi\ntext\nmore', 'its second line must be empty'],
    ['no text', 'Subject: Hi\n\n', 'it has no text'],
  ])('is refused with %s', (_, source, wrong) => {
    expect(() => parse(source)).toThrow(`the template test.txt is wrong: `);
    expect(() => parse(source)).toThrow(wrong);
  });

  it('is refused with everything that is wrong with it at once', () => {
    expect(() => parse('Hi\n\n{{nam}} {{x}}')).toThrow(/first line.*\{\{nam\}\}.*\{\{x\}\}/);
  });
});
