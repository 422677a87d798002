import type { Results } from '../results.ts';
export function reportPage(_results: Results): string {
  return '';
}
