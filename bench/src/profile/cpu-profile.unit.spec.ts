import { describe, expect, it } from '@jest/globals';
import { type CpuProfile, folded, type ProfileNode } from './cpu-profile.ts';
import { summarized, summaryText } from './summary.ts';

const ROOT = '/repository';
const RELAY = `file://${ROOT}/libs/messaging/dist/outbox/relay.js`;
const KAFKAJS = `file://${ROOT}/node_modules/.pnpm/kafkajs@2.2.4_patch/node_modules/kafkajs/src/encoder.js`;
const NEST = `file://${ROOT}/node_modules/.pnpm/x/node_modules/@nestjs/core/router.js`;

function node(id: number, functionName: string, url: string, children: readonly number[] = []): ProfileNode {
  return { id, callFrame: { functionName, url, lineNumber: 9 }, children };
}

/** `send` is called twice by the relay, on two nodes of the profile; each sample stands for 1 ms. */
const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 4, 8, 9]),
    node(2, '(idle)', ''),
    node(3, '(garbage collector)', ''),
    node(4, 'run', RELAY, [5, 6]),
    node(5, 'send', KAFKAJS, [7]),
    node(6, 'send', KAFKAJS),
    node(7, 'writev', ''),
    node(8, 'route', NEST),
    node(9, '', 'node:net'),
  ],
  startTime: 1_000,
  endTime: 11_000,
  samples: [2, 3, 4, 5, 6, 6, 7, 8, 9, 2],
  timeDeltas: [0, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000],
};

describe('a folded profile', () => {
  const tree = folded(profile, ROOT);

  it('counts calls on the same path together, with what they called', () => {
    const run = tree.calls.find(({ name }) => name === 'run');
    expect(run?.totalMs).toBe(5);
    expect(run?.selfMs).toBe(1);
    expect(run?.calls.map(({ name, selfMs, totalMs }) => ({ name, selfMs, totalMs }))).toEqual([
      { name: 'send', selfMs: 3, totalMs: 4 },
    ]);
  });

  it('leaves out the time in which there was nothing to do', () => {
    expect(tree.totalMs).toBe(8);
    expect(tree.calls.map(({ name }) => name)).not.toContain('(idle)');
  });

  it('knows who each function belongs to', () => {
    const owners = tree.calls.map(({ name, owner }) => [name, owner.kind, owner.module]);
    expect(owners).toContainEqual(['run', 'own', 'libs/messaging/src/outbox/relay']);
    expect(owners).toContainEqual(['route', 'package', '@nestjs/core']);
    expect(owners).toContainEqual(['(anonymous)', 'node', 'node:net']);
    const [send] = tree.calls.find(({ name }) => name === 'run')?.calls ?? [];
    expect(send?.owner).toEqual({ kind: 'package', module: 'kafkajs' });
    expect(send?.calls[0]?.owner).toEqual({ kind: 'engine', module: '(native)' });
  });

  it('does not fail when nothing was sampled', () => {
    const empty = { nodes: [node(1, '(root)', '')], startTime: 0, endTime: 0, samples: [], timeDeltas: [] };
    expect(summarized(empty, folded(empty, ROOT))).toMatchObject({ busyPercent: 0, garbagePercent: 0 });
  });
});

describe('the summary of a profile', () => {
  const summary = summarized(profile, folded(profile, ROOT));

  it('tells how busy the process was, and what garbage collection took of that', () => {
    expect(summary).toMatchObject({ seconds: 0.01, busyPercent: 80, garbagePercent: 12.5 });
  });

  it('adds self time up by package and by own module, the costliest first', () => {
    expect(summary.packages.slice(0, 1)).toEqual([{ name: 'kafkajs', selfMs: 3, percent: 37.5 }]);
    expect(summary.packages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['libs/messaging', '@nestjs/core', 'node', '(native)', '(garbage collector)']),
    );
    expect(summary.ownModules).toEqual([{ name: 'libs/messaging/src/outbox/relay', selfMs: 1, percent: 12.5 }]);
  });

  it('is readable in a terminal', () => {
    expect(summaryText('order', summary)).toContain(
      'order: at work for 80 % of 0.01 s, 12.5 % of it garbage collection',
    );
    expect(summaryText('order', summary)).toMatch(/3 ms {2}37\.5 % {2}kafkajs\n/);
  });
});
