import type { Dispatcher } from 'undici';
import type { Replicas } from './replicas.ts';

/** No replica is known, so there is nobody to ask. */
class NoReplicaError extends Error {
  override readonly name = 'NoReplicaError';
  readonly code = 'NO_REPLICA';
}

// Repeating these changes nothing (RFC 9110, 9.2.1).
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

// The replica took the request and is slow: the next one would be asked in vain and the caller waits twice as long.
const TOO_SLOW = 'UND_ERR_HEADERS_TIMEOUT';

/**
 * Sends each request to the replica whose turn it is. One that cannot be reached was sent nothing, so the next is tried, each
 * once; a request that was sent is sent to another only if its method is safe and no answer had begun.
 */
export function takeTurns(replicas: Replicas, onRetry: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const [first, ...others] = replicas.inTurn();
    if (first === undefined) throw new NoReplicaError('no replica is known');
    const visit = (origin: string): boolean =>
      dispatch(
        { ...options, origin },
        new Visit(handler, onFailure.bind(undefined, origin), () => replicas.wake(origin)),
      );
    const onFailure = (origin: string, error: NodeJS.ErrnoException, wasSent: boolean): boolean => {
      if (!wasSent) replicas.rest(origin);
      const mayRepeat = !wasSent || (SAFE_METHODS.has(options.method) && error.code !== TOO_SLOW);
      const next = mayRepeat ? others.shift() : undefined;
      if (next === undefined) return false;
      onRetry();
      visit(next);
      return true;
    };
    return visit(first);
  };
}

/** True when somebody else has been asked. */
type OnFailure = (error: NodeJS.ErrnoException, wasSent: boolean) => boolean;

/** One request at one replica: passes everything on to who asked, but a failure only if nobody else is tried. */
class Visit implements Dispatcher.DispatchHandler {
  readonly #caller: Dispatcher.DispatchHandler;
  readonly #onFailure: OnFailure;
  readonly #onReached: () => void;
  #wasSent = false;
  #hasAnswer = false;

  constructor(caller: Dispatcher.DispatchHandler, onFailure: OnFailure, onReached: () => void) {
    this.#caller = caller;
    this.#onFailure = onFailure;
    this.#onReached = onReached;
  }

  // undici calls this when a connection stands and the request is about to be written to it, not before.
  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#wasSent = true;
    this.#onReached();
    this.#caller.onRequestStart?.(controller, context);
  }

  onResponseStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    this.#hasAnswer = true;
    this.#caller.onResponseStart?.(...args);
  }

  onResponseData(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseData']>>): void {
    this.#caller.onResponseData?.(...args);
  }

  onResponseEnd(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#caller.onResponseEnd?.(...args);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: NodeJS.ErrnoException): void {
    if (!this.#hasAnswer && this.#onFailure(error, this.#wasSent)) return;
    this.#caller.onResponseError?.(controller, Object.assign(error, { wasSent: this.#wasSent }));
  }
}
