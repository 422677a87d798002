/** A column of a table: its title, and whether it holds numbers, which stand on the right. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
  /** May be cut where the line would become too long; its end is lost. */
  readonly isCut?: boolean;
}

const GAP = '  ';

/** The least that a cut column keeps. */
const MIN_CUT_WIDTH = 12;

/**
 * The lines of a table, its title first, none longer than `width` as long as the columns that may be cut give enough. Line breaks and
 * control characters in cells become spaces: a message from a topic must not write on the terminal as it likes.
 */
export function tableOf(
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
  width: number,
): readonly string[] {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map((cell) => plain(String(cell))))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  shrink(columns, widths, width);
  return lines.map((line) =>
    columns
      .map(({ isNumber = false }, index) => {
        const columnWidth = widths[index] ?? 0;
        const text = cut(line[index] ?? '', columnWidth);
        return isNumber ? text.padStart(columnWidth) : text.padEnd(columnWidth);
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Takes from the widest column that may be cut until the line fits. */
function shrink(columns: readonly Column[], widths: number[], width: number): void {
  const total = (): number => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  for (;;) {
    if (total() <= width) return;
    const [widest] = columns
      .flatMap(({ isCut = false }, index) => (isCut && (widths[index] ?? 0) > MIN_CUT_WIDTH ? [index] : []))
      .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
    if (widest === undefined) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

/** At most `length` characters. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}

/** One line without control characters, from whoever wrote it. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
