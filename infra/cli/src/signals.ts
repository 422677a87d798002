/** The signals that stop a command, each with what a shell reports for a program that ended by it. */
export const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

// Whoever stopped us waits ten seconds, as Docker does, and then kills.
const STOP_WITHIN_MS = 8_000;

/** How a command hears that it is to stop. */
export interface Stopping {
  readonly signal: AbortSignal;
  /** What the process ends with then; undefined while nobody has stopped it. */
  readonly exitCode: number | undefined;
}

/** Has this process stopped by signals. What has not come to its end eight seconds after the first one is broken off. */
export function stopOnSignals(): Stopping {
  const stopping = new AbortController();
  let exitCode: number | undefined;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (exitCode !== undefined) return; // a terminal sends Ctrl-C to a whole group, and the starter passes it on
      exitCode = code;
      setTimeout(() => process.exit(code), STOP_WITHIN_MS).unref();
      stopping.abort();
    });
  }
  return {
    signal: stopping.signal,
    get exitCode() {
      return exitCode;
    },
  };
}

/** Rejects as soon as `stop` is aborted; never resolves. */
export function brokenOff(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (stop.aborted) reject(new Error('stopped'));
    stop.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
  });
}
