import type { Results } from '../results.ts';
import { circumstancesText, type Section, sectionsOf } from './sections.ts';

/** The generated part of docs/performance.md: what the last published results say, in Markdown. */
export function performancePart(results: Results): string {
  return sectionsOf(results)
    .flatMap((section) => [
      `## ${section.title}`,
      section.text,
      ...section.tables.map(tableText),
      ...chartOf(section, results),
      `_${circumstancesText(section.circumstances)}_`,
    ])
    .join('\n\n');
}

function tableText([head = [], ...rows]: Section['tables'][number]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** What can be drawn where this page is read; all charts are in the report of `pnpm bench`. */
function chartOf({ phase }: Section, { saturation }: Results): readonly string[] {
  if (phase !== 'saturation') return [];
  const runs = saturation?.found.runs ?? [];
  const [millrace] = runs.filter(({ system }) => system === 'millrace');
  const [baseline] = runs.filter(({ system }) => system === 'baseline');
  if (millrace === undefined || baseline === undefined) return [];
  return [
    [
      '```mermaid',
      'xychart-beta',
      '  title "Orders completed in each second, first round: millrace above, baseline below"',
      '  y-axis "orders"',
      `  line [${millrace.perSecond.join(', ')}]`,
      `  line [${baseline.perSecond.join(', ')}]`,
      '```',
    ].join('\n'),
  ];
}
