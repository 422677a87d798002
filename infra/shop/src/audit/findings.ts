/** Something that is not as it must be. */
export interface Finding {
  readonly slug: string;
  readonly sentence: string;
  /** What stays the same while the sentence changes; the sentence itself where it does not. */
  readonly key?: string;
}

/** What changed with a look at the books. */
export interface Change {
  readonly confirmed: readonly Finding[];
  /** Was reported and is as it must be now. */
  readonly righted: readonly Finding[];
}

/**
 * Findings of one part of the books. One counts when two looks in a row find it: books are of several databases, and what is
 * between two of them at the first look has arrived by the second.
 */
export class Findings {
  #suspected = new Map<string, Finding>();
  #confirmed = new Map<string, Finding>();

  /** Takes everything that a look has found. */
  update(found: readonly Finding[]): Change {
    const seen = new Map(found.map((finding) => [`${finding.slug} ${finding.key ?? finding.sentence}`, finding]));
    const before = this.#confirmed;
    const isKnown = (key: string) => this.#suspected.has(key) || before.has(key);
    this.#confirmed = new Map([...seen].filter(([key]) => isKnown(key)));
    this.#suspected = new Map([...seen].filter(([key]) => !isKnown(key)));
    return {
      confirmed: [...this.#confirmed].filter(([key]) => !before.has(key)).map(([, finding]) => finding),
      righted: [...before].filter(([key]) => !seen.has(key)).map(([, finding]) => finding),
    };
  }

  get confirmed(): readonly Finding[] {
    return [...this.#confirmed.values()];
  }

  /** Those that wait for a second look. */
  get suspected(): readonly Finding[] {
    return [...this.#suspected.values()];
  }
}
