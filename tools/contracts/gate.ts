// Compares the contracts with every release that is still supported: `gate.ts [--json]`. Exit code 1 when something breaks.
import { parseArgs } from 'node:util';
import { compare, type Finding, selfCheck, snapshotOf } from '../../libs/contracts/src/compatibility/index.ts';
import { goldens, releases } from '../../libs/contracts/src/fixtures/goldens.ts';
import { catalogue, decoderOf } from '../../libs/contracts/src/index.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, releases: { type: 'string' } } });
const present = snapshotOf(catalogue);
const known = releases(values.releases);
const findings = [...selfCheck(present), ...known.flatMap((release) => compare(release, present)), ...unreadGoldens()];
const breaks = findings.filter(({ verdict }) => verdict === 'breaks');

process.stdout.write(values.json === true ? `${JSON.stringify(findings, undefined, 2)}\n` : report());
if (breaks.length > 0) process.exitCode = 1;

/** What was really said must be understood for as long as it may be said again. */
function unreadGoldens(): readonly Finding[] {
  const decode = decoderOf(catalogue);
  return goldens(values.releases).flatMap(({ release, story, topic, key, value, headers }) => {
    const decoded = decode({ key: Buffer.from(key), value: Buffer.from(value), headers });
    if (decoded.kind === 'message') return [];
    const why = decoded.kind === 'malformed' ? `${decoded.reason}: ${decoded.detail}` : 'nobody knows it any more';
    return [
      {
        release,
        verdict: 'breaks' as const,
        message: headers['ce_type'] ?? topic,
        field: '',
        direction: 'new readers, old messages' as const,
        what: 'golden-message-refused',
        detail: `in the story "${story}": ${why}`,
        todo: 'correct the schema or the upcast until the message of that release is understood again',
      },
    ];
  });
}

function report(): string {
  const lines = findings.map(({ release, verdict, message, field, direction, what, detail, todo }) => {
    const where = [message, field].filter((part) => part !== '').join('  ');
    const meets = direction === undefined ? '' : `  (${direction})`;
    const advice = todo === '' ? '' : `\n    → ${todo}`;
    return `${verdict === 'breaks' ? '✗' : '·'} ${where}\n    ${what}${meets}: ${detail}, compared with ${release}${advice}\n`;
  });
  const versions = known.map(({ version, support }) => `${version} (${support})`).join(', ');
  const verdict = breaks.length === 0 ? 'nothing breaks' : `${breaks.length} break${breaks.length === 1 ? 's' : ''}`;
  return `${lines.join('')}${present.messages.length} messages against ${versions || 'no release'}: ${verdict}\n`;
}
