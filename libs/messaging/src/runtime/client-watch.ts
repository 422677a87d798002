// A join takes milliseconds, after a rebalance or a dead coordinator some seconds. A client that took this long sits on something
// that no longer comes (seen after a broker was killed on a starved machine): a new one joins at once.
const JOIN_WITHIN_MS = 20_000;

// A member asks its brokers for records several times a second, also while it is paused or they are away. No request may last for a
// quarter of this.
const ASK_WITHIN_MS = 30_000;

/** Knows whether a consumer's client, from now on to join, does what it is there for. One that fell silent reports no error. */
export class ClientWatch {
  /** To join, or to ask for the first time. */
  #waitingSince = Date.now();
  #isJoined = false;
  /** When each broker was last asked for records. */
  readonly #askedAt = new Map<number, number>();

  joined(): void {
    this.#waitingSince = Date.now();
    this.#isJoined = true;
    this.#askedAt.clear();
  }

  /** It is no member any more, and is to join again. */
  left(): void {
    if (this.#isJoined) this.#waitingSince = Date.now();
    this.#isJoined = false;
  }

  /** It asks a broker for records. */
  asks(brokerId: number): void {
    this.#askedAt.set(brokerId, Date.now());
  }

  /** What it has not done for too long; undefined when all is well. */
  get silence(): 'did not join in time' | 'has stopped fetching' | undefined {
    const now = Date.now();
    if (!this.#isJoined) return now - this.#waitingSince < JOIN_WITHIN_MS ? undefined : 'did not join in time';
    const asked = this.#askedAt.size === 0 ? this.#waitingSince : Math.min(...this.#askedAt.values());
    return now - asked < ASK_WITHIN_MS ? undefined : 'has stopped fetching';
  }
}
