import type { Dispatcher } from 'undici';
import type { Replicas } from './replicas.ts';

/** No replica is known, so there is nobody to ask. */
class NoReplicaError extends Error {
  override readonly name = 'NoReplicaError';
  readonly code = 'NO_REPLICA';
}

// Repeating these changes nothing (RFC 9110, 9.2.1).
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

// Whoever names a request so says that it may come twice: services that take the key do nothing twice under it.
const IDEMPOTENCY_KEY = 'idempotency-key';

// The replica took the request and is slow: the next one would be asked in vain and the caller waits twice as long.
const TOO_SLOW = 'UND_ERR_HEADERS_TIMEOUT';

/**
 * Sends each request to the replica whose turn it is. One that cannot be reached was sent nothing, so the next is tried, each
 * once; a request that was sent is sent to another only if its method is safe or it has an idempotency-key, and no answer had
 * begun. A replica that stops closes connections on which a request may just be under way.
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
      const mayRepeat = !wasSent || (isRepeatable(options) && error.code !== TOO_SLOW);
      const next = mayRepeat ? others.shift() : undefined;
      if (next === undefined) return false;
      onRetry();
      visit(next);
      return true;
    };
    return visit(first);
  };
}

function isRepeatable({ method, headers }: Dispatcher.DispatchOptions): boolean {
  if (SAFE_METHODS.has(method)) return true;
  return headers !== null && typeof headers === 'object' && IDEMPOTENCY_KEY in headers;
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
