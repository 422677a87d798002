import { Command } from 'commander';
import { decodeLetter, originOf } from '@millrace/messaging/dead-letters';
import { type Act, examples } from '../command.ts';
import type { Output } from '../output/output.ts';
import { plain } from '../output/table.ts';
import { bytesText, headerText, letterDocument, traceIdOf } from './describe-letter.ts';
import { found, groupsNamed, type Letter, loadLetters } from './selection.ts';

export function showCommand(act: Act): Command {
  return new Command('show')
    .description(
      'Shows one dead letter with everything that is known of it: body, headers, error, stack, what was decided.',
    )
    .argument('<letter>', '<group>/<partition>/<offset>, as dlq list shows it')
    .addHelpText(
      'after',
      examples(
        'millrace dlq show order.checkout/0/17',
        'millrace dlq show order.checkout/0/17 --json | jq .body > body.json    # to be edited',
      ),
    )
    .action(
      act(async ({ shop, out }, address: string) => {
        const letters = await loadLetters(shop, { group: groupsNamed(shop, [address]) });
        const shown = found(letters, address);
        out.show(documentOf(shown), () => showForPeople(out, shown, address));
        return 0;
      }),
    );
}

function documentOf(shown: Letter): Record<string, unknown> {
  const { letter } = shown;
  const { value, headers } = letter.record;
  const decoded = decodeLetter(letter, undefined);
  return {
    ...letterDocument(shown),
    stack: letter.stack,
    today: decoded.kind === 'malformed' ? decoded.detail : decoded.kind,
    headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, headerText(header)])),
    body: value === null ? null : jsonOf(value),
    bodyBase64: value?.toString('base64') ?? null,
  };
}

function showForPeople(out: Output, shown: Letter, address: string): void {
  const { letter, decision } = shown;
  out.line(out.color.bold(address));
  out.entry('type', letter.type ?? '(none)');
  out.entry('key', letter.record.key === null ? '(none)' : bytesText(letter.record.key));
  out.entry('message', letter.messageId ?? '(no id)');
  out.entry('came from', originOf(letter));
  out.entry('cause', letter.reason);
  out.entry('error', letter.error);
  out.entry('failed', `${letter.failedAt?.toISOString() ?? 'unknown'}, attempt ${letter.attempts}`);
  if (letter.firstFailedAt !== undefined) out.entry('first failed', letter.firstFailedAt.toISOString());
  if (letter.redrives > 0)
    out.entry('redriven', `${letter.redrives} times, last from ${letter.redriveOf ?? 'somewhere'}`);
  const traceId = traceIdOf(letter);
  if (traceId !== undefined) out.entry('trace', traceId);
  const decoded = decodeLetter(letter, undefined);
  if (decoded.kind === 'malformed') out.entry('today', `still no message: ${decoded.detail}`);
  if (decision !== undefined) {
    const edited = decision.isEdited ? ' with an edited body' : '';
    out.entry(
      'decided',
      `${decision.decision}${edited} by ${decision.by} at ${decision.at.toISOString()}: ${decision.reason}`,
    );
  }
  out.line();
  out.line(out.color.bold('Headers'));
  for (const [name, value] of Object.entries(letter.record.headers))
    out.entry(`  ${name}`, [headerText(value)].flat().join(', '));
  out.line();
  out.line(out.color.bold('Body'));
  out.line(bodyText(letter.record.value));
  if (letter.stack !== undefined) {
    out.line();
    out.line(out.color.bold('Stack'));
    for (const line of letter.stack.split('\n')) out.line(plain(line));
  }
}

function bodyText(value: Buffer | null): string {
  if (value === null) return '(none)';
  const json = jsonOf(value);
  return json === undefined ? plain(bytesText(value)) : JSON.stringify(json, undefined, 2);
}

function jsonOf(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
