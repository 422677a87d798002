import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import type { Frame } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';

function frame(name: string, selfMs: number, calls: readonly Frame[] = []): Frame {
  const totalMs = calls.reduce((sum, call) => sum + call.totalMs, selfMs);
  return { name, owner: { kind: 'own', module: 'libs/messaging/src/relay' }, line: 10, selfMs, totalMs, calls };
}

const tree = frame('(root)', 0, [frame('run', 1, [frame('send', 6), frame('find', 1)]), frame('wait', 2)]);

/** As much of a browser's page as the script of the graph uses. */
class Element {
  readonly style: Record<string, string> = {};
  readonly clientWidth = 1000;
  readonly listeners = new Map<string, () => void>();
  children: Element[] = [];
  textContent = '';
  title = '';
  className = '';
  value = '';

  append(child: Element): void {
    this.children.push(child);
  }

  replaceChildren(): void {
    this.children = [];
  }

  addEventListener(event: string, listener: () => void): void {
    this.listeners.set(event, listener);
  }

  get drawn(): Record<string, string | undefined> {
    return Object.fromEntries(this.children.map(({ textContent, style }) => [textContent, style['width']]));
  }
}

function opened(page: string) {
  const elements = { graph: new Element(), told: new Element(), search: new Element() };
  const [script] = page.match(/(?<=<script>)[^]*(?=<\/script>)/) ?? [];
  const document = {
    getElementById: (id: keyof typeof elements) => elements[id],
    createElement: () => new Element(),
  };
  runInNewContext(script ?? '', { document, window: new Element() });
  const act = (element: Element | undefined, event: string): void => element?.listeners.get(event)?.();
  return { ...elements, act };
}

describe('a flame graph', () => {
  it('is one page that loads nothing', () => {
    const page = flameGraph('order', tree);
    expect(page).not.toMatch(/\b(?:src|href)=/);
    expect(page).not.toContain('https:');
  });

  it('cannot be broken by the name of a function', () => {
    const page = flameGraph('<b>', frame('(root)', 0, [frame('</script>', 1)]));
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(Object.keys(opened(page).graph.drawn)).toEqual(['(root)', '</script>']);
  });

  it('draws each function as wide as the time it took, with what it called above it', () => {
    const { graph } = opened(flameGraph('order', tree));
    expect(graph.drawn).toEqual({ '(root)': '100%', run: '80%', send: '60%', find: '10%', wait: '20%' });
    const top = (name: string) => graph.children.find(({ textContent }) => textContent === name)?.style['top'];
    expect([top('send'), top('run'), top('(root)')]).toEqual(['0px', '18px', '36px']);
  });

  it('enlarges what is clicked, keeps who called it, and goes back', () => {
    const { graph, act } = opened(flameGraph('order', tree));
    act(
      graph.children.find(({ textContent }) => textContent === 'run'),
      'click',
    );
    expect(graph.drawn).toEqual({ '(root)': '100%', run: '100%', send: '75%', find: '12.5%' });
    act(graph.children[0], 'click');
    expect(graph.drawn).toMatchObject({ run: '80%', wait: '20%' });
  });

  it('finds functions and says what they took together', () => {
    const { graph, told, search, act } = opened(flameGraph('order', tree));
    search.value = 'SEND';
    act(search, 'input');
    expect(graph.children.filter(({ className }) => className.includes('found'))).toHaveLength(1);
    expect(told.textContent).toBe('“SEND” and what it called: 6.0 ms, 60.0 %');
  });
});
