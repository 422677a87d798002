import { addressOf, type DeadLetter, type NewerMessage, type Redriven } from '@millrace/messaging/dead-letters';
import { plain } from '../output/table.ts';

// Enough to see what happened since; the JSON document has them all.
const NEWER_SHOWN = 5;

/** Nothing is left to do about the letter: it is on its way, or it was before. */
export function isDone(outcome: Redriven): boolean {
  return outcome.kind === 'redriven' || (outcome.kind === 'decided-before' && outcome.decision.decision === 'redriven');
}

/** What came of a letter, and what to do where it was refused. */
export function describeOutcome(letter: DeadLetter, outcome: Redriven, isDryRun: boolean): readonly string[] {
  const address = addressOf(letter);
  switch (outcome.kind) {
    case 'redriven': {
      const { behind, isHeld, overtaken } = outcome;
      const notes = [
        ...(behind > 0 ? [`behind ${behind} parked ${behind === 1 ? 'message' : 'messages'} of its key`] : []),
        ...(isHeld
          ? [`its key is held: millrace parked retry ${letter.group} ${letter.record.key?.toString() ?? ''}`]
          : []),
        ...(overtaken.newer.length > 0 ? [`after ${overtaken.newer.length} newer of its key`] : []),
        ...(overtaken.isLogCut ? ['nobody can tell after how many newer of its key'] : []),
      ];
      const what = isDryRun ? 'would be sent back' : 'sent back';
      return [`${address}  ${[what, ...notes].map(plain).join(', ')}`];
    }
    case 'decided-before': {
      const { decision, by, at, reason } = outcome.decision;
      return [`${address}  ${plain(`was ${decision} before, by ${by} at ${at.toISOString()}: ${reason}`)}`];
    }
    case 'no-message':
      return [
        `${address}  refused: it would fail again at once: ${plain(outcome.detail)}`,
        '    Give it a body that fits (--body FILE), or discard it.',
      ];
    case 'too-often':
      return [
        `${address}  refused: it was sent back ${outcome.redrives} times and failed each time`,
        '    Find out why first (millrace dlq show); --again sends it back all the same.',
      ];
    case 'in-read-model':
      return [
        `${address}  refused: a replay brought it into the read model at ${outcome.since.toISOString()}`,
        '    Discard it; --again applies it a second time all the same.',
      ];
    case 'late':
      return lateLines(address, letter, outcome.overtaken.newer, outcome.overtaken.isLogCut);
  }
}

function lateLines(
  address: string,
  letter: DeadLetter,
  newer: readonly NewerMessage[],
  isLogCut: boolean,
): readonly string[] {
  const key = plain(letter.record.key?.toString() ?? '');
  const lines = newer
    .slice(0, NEWER_SHOWN)
    .map(({ type, appendedAt, topic, partition, offset }) =>
      plain(`    ${type} of ${appendedAt.toISOString()} (${topic}/${partition}/${offset})`),
    );
  const more = newer.length > NEWER_SHOWN ? [`    and ${newer.length - NEWER_SHOWN} more`] : [];
  return [
    ...(newer.length > 0
      ? [`${address}  refused: ${letter.group} has settled or queued newer messages of ${key}:`, ...lines, ...more]
      : []),
    ...(isLogCut
      ? [`${address}  refused: the log has forgotten what came after it, so nobody can tell what was settled since`]
      : []),
    '    --late-is-fine sends it back all the same, after them.',
  ];
}
