/** At `timeMs` the log ended at `offset`: every record before it had been appended, none from it on. */
export interface LogPoint {
  readonly timeMs: number;
  readonly offset: number;
}

/** When a record was appended, as well as the known points tell: not before `sinceMs`, at `untilMs` at the latest. */
interface Bracket {
  readonly since: LogPoint | undefined;
  readonly until: LogPoint | undefined;
}

// How long ago to ask about first, and how much further back each time that is not far enough.
const FIRST_LOOK_BACK_MS = 10_000;
const LOOK_BACK_FACTOR = 4;

// An answer may be wrong by this much, or by this share of itself: nobody acts on less.
const TOLERANCE_MS = 5_000;
const TOLERANCE_SHARE = 0.1;

// A day of points every five seconds would be 17,280; those that are dropped can be asked for again.
const MAX_POINTS = 500;

/**
 * What is known of how one partition's log grew. It tells when an offset was appended by interpolating between two points, and
 * which point to ask for where it does not know well enough.
 */
export class LogTimeline {
  /** In ascending order of time. */
  #points: LogPoint[] = [];

  note(point: LogPoint): void {
    const [beforeLast, last] = this.#points.slice(-2);
    // A log that does not grow needs its first and its last moment only.
    if (last && beforeLast?.offset === point.offset && last.offset === point.offset && point.timeMs >= last.timeMs) {
      this.#points[this.#points.length - 1] = point;
      return;
    }
    const next = this.#points.findLastIndex(({ timeMs }) => timeMs <= point.timeMs) + 1;
    this.#points.splice(next, 0, point);
    if (this.#points.length > MAX_POINTS) this.#thin();
  }

  /** When the record at `offset` was appended, in milliseconds since 1970; undefined while no point at all tells. */
  appendedAtMs(offset: number): number | undefined {
    const { since, until } = this.#bracket(offset);
    if (since === undefined || until === undefined) return (until ?? since)?.timeMs;
    const share = (offset + 1 - since.offset) / (until.offset - since.offset);
    return since.timeMs + Math.max(0, until.timeMs - since.timeMs) * share;
  }

  /** Which moment to ask about to know better when the record at `offset` was appended; undefined when it is known well enough. */
  nextQuestionMs(offset: number, nowMs: number): number | undefined {
    const { since, until } = this.#bracket(offset);
    if (until === undefined) return undefined;
    const youngestMs = nowMs - until.timeMs;
    if (since === undefined) return nowMs - Math.max(FIRST_LOOK_BACK_MS, youngestMs * LOOK_BACK_FACTOR);
    const oldestMs = nowMs - since.timeMs;
    if (oldestMs - youngestMs <= Math.max(TOLERANCE_MS, oldestMs * TOLERANCE_SHARE)) return undefined;
    return nowMs - Math.round(Math.sqrt(Math.max(TOLERANCE_MS / 2, youngestMs) * oldestMs));
  }

  /** Nobody will ask about offsets below this one any more. */
  forgetBelow(offset: number): void {
    const { since } = this.#bracket(offset);
    if (since) this.#points = this.#points.filter((point) => point.timeMs >= since.timeMs);
  }

  #bracket(offset: number): Bracket {
    return {
      since: this.#points.findLast((point) => point.offset <= offset),
      until: this.#points.find((point) => point.offset > offset),
    };
  }

  /** Drops every second point of the older half. */
  #thin(): void {
    const half = this.#points.length / 2;
    this.#points = this.#points.filter((_, index) => index > half || index % 2 === 0);
  }
}
