import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '../results.ts';
import { chartsOf } from './charts.ts';
import { circumstancesText, sectionsOf, type Section } from './sections.ts';

// The whole library stands in the page: it opens without a network, years later.
const library = readFileSync(
  join(dirname(fileURLToPath(import.meta.resolve('chart.js'))), 'chart.umd.min.js'),
  'utf8',
).replace(/\n\/\/# sourceMappingURL=.*/, '');

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; margin: 1rem 0; }
  th, td { border-bottom: 1px solid #ddd; padding: .25rem .75rem; text-align: right; }
  th:first-child, td:first-child { text-align: left; }
  p.when { color: #666; font-size: .875rem; }
  figure { margin: 2rem 0; } figcaption { font-weight: 600; }`;

/** The results as one file for a browser, with charts and without anything to load. */
export function htmlPage(results: Results): string {
  const charts = chartsOf(results);
  // No text of the data can end the script.
  const data = JSON.stringify(charts.map(({ config }) => config)).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Millrace: performance</title><style>${STYLE}</style></head>
<body>
<h1>Millrace: performance</h1>
${sectionsOf(results).map(sectionHtml).join('\n')}
<h2>Charts</h2>
${charts.map(({ title }, index) => `<figure><figcaption>${escaped(title)}</figcaption><canvas id="chart-${index}"></canvas></figure>`).join('\n')}
<script>${library}</script>
<script>
const configs = ${data};
configs.forEach((config, index) => new Chart(document.getElementById('chart-' + index), { ...config, options: { ...config.options, animation: false } }));
</script>
</body>
</html>
`;
}

function sectionHtml({ title, circumstances, text, tables }: Section): string {
  const tableHtml = ([head, ...rows]: Section['tables'][number]): string => {
    const row = (cells: readonly (string | number)[], tag: 'th' | 'td'): string =>
      `<tr>${cells.map((cell) => `<${tag}>${escaped(String(cell))}</${tag}>`).join('')}</tr>`;
    return `<table>${row(head ?? [], 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table>`;
  };
  return [
    `<h2>${escaped(title)}</h2>`,
    `<p>${escaped(text)}</p>`,
    ...tables.map(tableHtml),
    `<p class="when">${escaped(circumstancesText(circumstances))}</p>`,
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
