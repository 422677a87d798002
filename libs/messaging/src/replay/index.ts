export { type Comparison, type Difference, differencesOf, type TableComparison } from './comparison.ts';
export {
  cancelReplay,
  compareReplay,
  pauseReplay,
  ReplayRefused,
  resumeReplay,
  startReplay,
  swapReplay,
} from './replay-requests.ts';
export {
  isOver,
  listReplays,
  type ReplayState,
  replayStatus,
  type ReplayStatus,
  type ReplayWish,
} from './replay-status.ts';
