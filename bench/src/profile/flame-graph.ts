import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Owner } from './cpu-profile.ts';

const script = readFileSync(join(import.meta.dirname, 'flame-graph.browser.js'), 'utf8');

const STYLE = `
  body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem; color: #222; }
  header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
  h1 { font-size: 1.1rem; margin: 0; }
  #graph { position: relative; margin-top: .5rem; }
  #graph div { position: absolute; height: 17px; overflow: hidden; white-space: nowrap; font-size: 11px; line-height: 17px;
    padding-left: 2px; box-sizing: border-box; border-right: 1px solid #fff; cursor: pointer; }
  .own { background: #f6a04d; } .package { background: #8ec5e8; } .node { background: #b5d99c; } .engine { background: #d0d0d0; }
  .above { opacity: .5; } .found { background: #e83e8c; color: #fff; }
  #told { min-height: 1.4em; color: #444; }`;

// Thinner than a pixel on any screen: thousands of frames that nobody could see or click.
const LEAST_SHARE = 1 / 8000;

/** Name, owner's kind, module with the line, self and total time in ms, and what it called: as short as the page can be. */
type Drawn = readonly [string, Owner['kind'], string, number, number, readonly Drawn[]];

/**
 * A flame graph as one file for a browser, with nothing to load: width is time at work, what is above was called by what is below. A
 * click enlarges a frame, a search lights up functions and modules.
 */
export function flameGraph(title: string, root: Frame): string {
  // No text of the data can end the script.
  const data = JSON.stringify(drawn(root, root.totalMs * LEAST_SHARE)).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escaped(title)}</title><style>${STYLE}</style></head>
<body>
<header><h1>${escaped(title)}</h1>
<label>Search <input id="search" type="search"></label>
<span><b class="own">&nbsp;this repository&nbsp;</b> <b class="package">&nbsp;packages&nbsp;</b> <b class="node">&nbsp;Node&nbsp;</b> <b class="engine">&nbsp;V8&nbsp;</b></span></header>
<div id="told"></div>
<div id="graph"></div>
<script>const data = ${data};
${script}</script>
</body>
</html>
`;
}

function drawn({ name, owner, line, selfMs, totalMs, calls }: Frame, leastMs: number): Drawn {
  const where = owner.kind === 'engine' ? owner.module : `${owner.module}:${line}`;
  return [
    name,
    owner.kind,
    where,
    rounded(selfMs),
    rounded(totalMs),
    calls.filter((call) => call.totalMs >= leastMs).map((call) => drawn(call, leastMs)),
  ];
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
