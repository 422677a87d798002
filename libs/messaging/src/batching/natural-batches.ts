import { context, ROOT_CONTEXT } from '@opentelemetry/api';

/** An item and the one who waits for its result. */
type Waiting<Item, Result> = {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Turns a function over batches into a function over single items, with natural batching: an item that arrives while
 * nothing runs starts at once, and what arrives meanwhile forms the next batch. So there is no waiting when idle and one
 * round trip for many items under load.
 *
 * `work` answers in the order of its items, one result each. When it throws, every item of that batch fails with the error.
 */
export function naturalBatches<Item, Result>(
  work: (items: readonly Item[]) => Promise<readonly Result[]>,
  options: { readonly maxItems: number },
): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let isRunning = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, options.maxItems);
      try {
        const results = await work(batch.map(({ item }) => item));
        batch.forEach(({ resolve, reject }, index) => {
          if (index in results) resolve(results[index] as Result);
          else reject(new Error(`a batch of ${batch.length} items brought ${results.length} results`));
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isRunning = false;
  }

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      // Items of the same turn of the event loop share the first batch.
      // Outside the context of whoever came first: the batch belongs to all of them.
      context.with(ROOT_CONTEXT, () => setImmediate(() => void drain()));
    });
}
