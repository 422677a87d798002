import type { Decidable } from '../handlers/local-message.ts';
import type { Cell, Process } from './process.ts';

/**
 * The process as a Mermaid state diagram: one arrow per cell that goes somewhere, labelled `message / what is said`.
 * `initial` names the first stage with what is said on the way to it; `ends` are the end stages.
 */
export function mermaidOf<Stage extends string, State, Message extends Decidable>(
  process: Process<Stage, State, Message>,
  initial: { readonly stage: Stage; readonly label: string },
  ends: readonly Stage[],
): string {
  const lines = ['stateDiagram-v2', `  [*] --> ${initial.stage}: ${initial.label}`];
  for (const stage of process.stages) {
    for (const [type, cell] of Object.entries(process.table[stage]) as [string, Cell<Stage, State, never>][]) {
      if (cell.kind !== 'goes') continue;
      const says = cell.says.map((contract) => contract.type).join(', ');
      for (const to of cell.to) lines.push(`  ${stage} --> ${to}: ${type}${says === '' ? '' : ` / ${says}`}`);
    }
    if (ends.includes(stage)) lines.push(`  ${stage} --> [*]`);
  }
  return lines.join('\n');
}

/** The process as a Markdown table, stage × message: `→ stage / says`, `ignored`, `refused`, or `–` for impossible. */
export function tableOf<Stage extends string, State, Message extends Decidable>(
  process: Process<Stage, State, Message>,
): string {
  const header = ['message', ...process.stages];
  const rows = process.messageTypes.map((type) => [
    type,
    ...process.stages.map((stage) =>
      cellText(stage, (process.table[stage] as Record<string, Cell<Stage, State, never>>)[type]),
    ),
  ]);
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellText<Stage extends string, State>(stage: Stage, cell: Cell<Stage, State, never> | undefined): string {
  switch (cell?.kind) {
    case 'goes': {
      const to = cell.to.map((next) => (next === stage ? 'stays' : `→ ${next}`)).join(' or ');
      return cell.says.length === 0 ? to : `${to} / ${cell.says.map((contract) => contract.type).join(', ')}`;
    }
    case 'ignored':
      return 'ignored';
    case 'refused':
      return 'refused';
    case 'impossible':
    case undefined:
      return '–';
  }
}
