import { type BacklogDrain, backlogDrain } from './backlog.ts';
import { type Counts, counts } from './counts.ts';
import { type Growth, growth } from './growth.ts';
import type { PhaseName } from './names.ts';
import { fixedRate, type OpenLoop } from './open-loop.ts';
import type { Bench } from './phase.ts';
import { type Recovery, recovery } from './recovery.ts';
import { type Replay, replay } from './replay.ts';
import { type Saturation, saturation } from './saturation.ts';
import { type Scaling, scaling } from './scaling.ts';

/** What each phase finds out. */
export interface Findings {
  readonly saturation: Saturation;
  readonly 'open-loop': OpenLoop;
  readonly recovery: Recovery;
  readonly backlog: BacklogDrain;
  readonly replay: Replay;
  readonly counts: Counts;
  readonly scaling: Scaling;
  readonly growth: Growth;
}

export const phases: { readonly [Name in PhaseName]: (bench: Bench) => Promise<Findings[Name]> } = {
  saturation,
  'open-loop': fixedRate,
  recovery,
  backlog: backlogDrain,
  replay,
  counts,
  scaling,
  growth,
};
