import type { Results } from '../results.ts';
export function performancePage(_results: Results): string {
  return '';
}
