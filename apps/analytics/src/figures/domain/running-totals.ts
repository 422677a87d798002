import type { Money } from '@millrace/contracts';
import type { Deltas, Latency, OrderMinute, ProductSale, Step, StockOut, Subject, Tally, TimedStep } from './deltas.ts';
import { bucketOf } from './latency-buckets.ts';

const MINUTE_MS = 60_000;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The sums of one batch while it is folded. */
export class RunningTotals {
  readonly #orderMinutes = new Map<string, Writable<OrderMinute>>();
  readonly #productSales = new Map<string, Writable<ProductSale>>();
  readonly #stockOuts = new Map<string, Writable<StockOut>>();
  readonly #latencies = new Map<string, Writable<Latency>>();
  readonly #tallies = new Map<string, Writable<Tally>>();

  count(subject: Subject, item: string): void {
    entryOf(this.#tallies, `${subject} ${item}`, () => ({ subject, item, times: 0 })).times += 1;
  }

  reached(step: Step): void {
    this.count('step', step);
  }

  inMinute(
    time: Date,
    what: 'placed' | 'confirmed' | 'completed' | 'cancelled',
    { amountMinor, currency }: Money,
  ): void {
    const minute = new Date(Math.floor(time.getTime() / MINUTE_MS) * MINUTE_MS);
    const none = { placed: 0, confirmed: 0, completed: 0, cancelled: 0, revenueMinor: 0n };
    const entry = entryOf(this.#orderMinutes, `${keyOf(minute)} ${currency}`, () => ({ minute, currency, ...none }));
    entry[what] += 1;
    if (what === 'completed') entry.revenueMinor += BigInt(amountMinor);
  }

  took(step: TimedStep, placedAt: string, time: Date): void {
    const bucket = bucketOf(time.getTime() - Date.parse(placedAt));
    const key = `${step} ${String(bucket).padStart(4, '0')}`;
    entryOf(this.#latencies, key, () => ({ step, bucket, orders: 0 })).orders += 1;
  }

  sold(
    line: { readonly sku: string; readonly name: string; readonly quantity: number; readonly unitPrice: Money },
    placedAt: string,
  ): void {
    const { sku, quantity, unitPrice } = line;
    const named = { name: storable(line.name), namedAt: new Date(placedAt) };
    const { currency } = unitPrice;
    const none = { sku, currency, units: 0n, revenueMinor: 0n, ...named };
    const entry = entryOf(this.#productSales, `${sku} ${currency}`, () => none);
    entry.units += BigInt(quantity);
    entry.revenueMinor += BigInt(quantity) * BigInt(unitPrice.amountMinor);
    if (isNewer(named, entry)) Object.assign(entry, named);
  }

  missed(sku: string, time: Date): void {
    const entry = entryOf(this.#stockOuts, sku, () => ({ sku, times: 0, lastAt: time }));
    entry.times += 1;
    if (time > entry.lastAt) entry.lastAt = time;
  }

  deltas(): Deltas {
    return {
      orderMinutes: sorted(this.#orderMinutes),
      productSales: sorted(this.#productSales),
      stockOuts: sorted(this.#stockOuts),
      latencies: sorted(this.#latencies),
      tallies: sorted(this.#tallies),
    };
  }
}

function entryOf<Entry>(entries: Map<string, Entry>, key: string, none: () => Entry): Entry {
  const known = entries.get(key);
  if (known !== undefined) return known;
  const entry = none();
  entries.set(key, entry);
  return entry;
}

function sorted<Entry>(entries: ReadonlyMap<string, Entry>): Entry[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function keyOf(minute: Date): string {
  return minute.toISOString();
}

type Named = Pick<ProductSale, 'name' | 'namedAt'>;

// By bytes, as PostgreSQL's collation "C" compares: a tie must be broken alike inside a batch and between batches.
function isNewer(a: Named, b: Named): boolean {
  const difference = a.namedAt.getTime() - b.namedAt.getTime();
  return difference > 0 || (difference === 0 && Buffer.from(a.name).compare(Buffer.from(b.name)) > 0);
}

// JSON can hold what PostgreSQL's text cannot: one such name would stop the projection at its message for ever.
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}
