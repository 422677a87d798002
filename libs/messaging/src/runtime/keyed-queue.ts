/**
 * A queue that gives out one item at a time per key, in the order of the key; no key waits for another. Every step costs the
 * same however much waits.
 */
export class KeyedQueue<Item> {
  readonly #waiting = new Map<string, Item[]>();
  /** Keys with a waiting item and none out, in the order in which they became so. */
  readonly #ready = new Set<string>();
  readonly #out = new Set<string>();

  push(key: string, item: Item): void {
    const items = this.#waiting.get(key);
    if (items) items.push(item);
    else this.#waiting.set(key, [item]);
    if (!this.#out.has(key)) this.#ready.add(key);
  }

  /** The first item of up to `limit` keys; each of these keys is out until it is released. */
  take(limit: number): Item[] {
    const taken: Item[] = [];
    for (const key of this.#ready) {
      if (taken.length >= limit) break;
      const items = this.#waiting.get(key) ?? [];
      taken.push(...items.splice(0, 1));
      if (items.length === 0) this.#waiting.delete(key);
      this.#ready.delete(key);
      this.#out.add(key);
    }
    return taken;
  }

  /** All that waits of a key that is out, in its order. */
  takeRest(key: string): Item[] {
    const items = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    return items;
  }

  /** What was taken of this key is finished: its next item may be taken. */
  release(key: string): void {
    this.#out.delete(key);
    if (this.#waiting.has(key)) this.#ready.add(key);
  }

  /** Drops what waits; keys that are out stay out. */
  clear(): void {
    this.#waiting.clear();
    this.#ready.clear();
  }
}
