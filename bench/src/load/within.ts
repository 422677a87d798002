/** Settles like the promise, unless that takes longer. @throws {Error} naming what did not happen: an order that is lost never ends. */
export async function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} not within ${seconds} s`)), seconds * 1000);
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/** Longer than an order takes under any load that is put on a system here. */
export const LAST_ORDER_WITHIN_SECONDS = 300;
