import type { AuditReport } from './auditor.ts';

/** What a look tells that finds nothing wrong. */
export const inOrder: AuditReport = {
  findings: [],
  suspected: [],
  confirmed: [],
  righted: [],
  orders: { completed: 3, cancelled: 1, open: 2 },
  isBehind: false,
  dropped: 0,
  isStockUncounted: false,
};
