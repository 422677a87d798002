/** What an operator may choose about stock. */
export interface StockOptions {
  /** How long a hold lasts unless it is released or committed before. */
  readonly holdMs: number;
}

/** Injects the `StockOptions`. */
export const STOCK_OPTIONS = Symbol('StockOptions');
