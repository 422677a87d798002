/** What happened to orders of one currency in one minute. */
export interface OrderMinute {
  readonly minute: Date;
  readonly currency: string;
  readonly placed: number;
  readonly confirmed: number;
  readonly completed: number;
  readonly cancelled: number;
  readonly revenueMinor: bigint;
}

/**
 * What is counted, and by what: `step` how far orders came, `cancellation` why they ended, the three refusals by reason,
 * `message` every event by type, the two notifications by kind.
 */
export type Subject =
  | 'step'
  | 'cancellation'
  | 'stock-rejected'
  | 'payment-declined'
  | 'shipment-refused'
  | 'message'
  | 'notification-sent'
  | 'notification-failed';

/** The steps of an order in the order of the funnel. */
export const STEPS = [
  'placed',
  'stock-reserved',
  'payment-authorized',
  'confirmed',
  'dispatched',
  'completed',
  'delivered',
] as const;
export type Step = (typeof STEPS)[number];

/** The steps whose distance from `placed` is measured. */
export const TIMED_STEPS = ['confirmed', 'dispatched', 'completed'] as const satisfies readonly Step[];
export type TimedStep = (typeof TIMED_STEPS)[number];

export interface Tally {
  readonly subject: Subject;
  readonly item: string;
  readonly times: number;
}

export interface ProductSale {
  readonly sku: string;
  readonly currency: string;
  /** The name on the order that was placed last; of two at the same instant, the greater by code points. */
  readonly name: string;
  readonly namedAt: Date;
  readonly units: bigint;
  readonly revenueMinor: bigint;
}

export interface StockOut {
  readonly sku: string;
  readonly times: number;
  readonly lastAt: Date;
}

export interface Latency {
  readonly step: TimedStep;
  readonly bucket: number;
  readonly orders: number;
}

/**
 * What a batch of events adds to the read models. At most one entry per key, sorted by key, so that two batches that are
 * added at once lock the rows they share in the same order. Adding is commutative: batches of any size, in any order,
 * lead to the same tables.
 */
export interface Deltas {
  readonly orderMinutes: readonly OrderMinute[];
  readonly productSales: readonly ProductSale[];
  readonly stockOuts: readonly StockOut[];
  readonly latencies: readonly Latency[];
  readonly tallies: readonly Tally[];
}
