import type { OrderId, Sku } from '@millrace/contracts';
import { invalidRequest, Problem } from '@millrace/service';
import type { Unsellable } from '../domain/pricing.ts';
import type { TurnedAway, TurnedAwayBecause } from '../intake.ts';

// Whoever met a limit or another request of theirs may try again this soon.
const RETRY_AFTER = { 'retry-after': '1' };

export function orderNotFound(orderId: OrderId): Problem {
  return new Problem({
    status: 404,
    type: 'order-not-found',
    title: 'Order not found',
    detail: `There is no order ${orderId}. Use the "orderId" or the Location that POST /orders answered with.`,
  });
}

export function productNotFound(sku: Sku): Problem {
  return new Problem({
    status: 404,
    type: 'product-not-found',
    title: 'Product not found',
    detail: `There is no product ${sku}. GET /products lists what can be ordered.`,
  });
}

export function invalidCursor(): Problem {
  return invalidRequest([
    {
      path: 'cursor',
      message: 'expected the cursor of a "next" link of this very list; leave it out to start at the first page',
    },
  ]);
}

export function invalidIdempotencyKey(): Problem {
  return new Problem({
    status: 400,
    type: 'idempotency-key-required',
    title: 'Idempotency key required',
    detail:
      'Send the header "Idempotency-Key" with 1 to 255 printable ASCII characters, a new UUID for each new order, and the ' +
      'same one again when you repeat a request.',
  });
}

export function keyInFlight(): Problem {
  return new Problem({
    status: 409,
    type: 'idempotency-key-in-flight',
    title: 'Request in flight',
    detail:
      'A request with this "Idempotency-Key" is being worked on right now. Send the same request again after ' +
      '"Retry-After" to get its answer.',
    headers: RETRY_AFTER,
  });
}

export function keyOfAnotherRequest(): Problem {
  return new Problem({
    status: 422,
    type: 'idempotency-key-reused',
    title: 'Idempotency key reused',
    detail:
      'This "Idempotency-Key" was used for a request with another body. Send a new key for a new order, or the first body ' +
      'to get its answer.',
  });
}

export function notForSale(unsellable: readonly Unsellable[], currency: string): Problem {
  const because = {
    'unknown-sku': (sku: string) => `there is no product ${sku}`,
    'not-sold-in-currency': (sku: string) => `${sku} is not sold in ${currency}`,
  };
  return new Problem({
    status: 422,
    type: 'not-for-sale',
    title: 'Not for sale',
    detail:
      `Not for sale: ${unsellable.map(({ sku }) => sku).join(', ')}. Correct or remove these lines and send the request ` +
      'again, under the same key if you like; GET /products lists what is sold, and in which currency.',
    errors: unsellable.map(({ line, sku, because: reason }) => ({
      path: `lines[${line}].sku`,
      message: because[reason](sku),
    })),
    members: { skus: unsellable.map(({ sku }) => sku) },
  });
}

export function totalTooLarge(): Problem {
  return new Problem({
    status: 422,
    type: 'total-too-large',
    title: 'Total too large',
    detail: 'The total is too large to be charged. Order less at once.',
  });
}

const TOO_BUSY_BECAUSE: Readonly<Record<TurnedAwayBecause, string>> = {
  'outbox-full': 'As many orders as can be kept safe wait to be worked on.',
  'outbox-old': 'Orders that were accepted before have waited for too long to be worked on.',
  'pool-busy': 'More requests are waiting for the database than it can answer soon.',
  'too-many-waiting': 'More orders are waiting than can be accepted soon.',
};

export function tooBusy({ because, retryAfterSeconds }: TurnedAway): Problem {
  return new Problem({
    status: 503,
    type: 'too-busy',
    title: 'Too busy',
    detail: `${TOO_BUSY_BECAUSE[because]} Nothing was done. Send the same request again after "Retry-After".`,
    members: { reason: because },
    headers: { 'retry-after': String(retryAfterSeconds) },
  });
}

export function tooManyStreams(): Problem {
  return new Problem({
    status: 503,
    type: 'too-many-streams',
    title: 'Too many streams',
    detail:
      'This process holds as many event streams as it may. Connect again after "Retry-After", or ask for the order itself ' +
      'with "If-None-Match".',
    headers: RETRY_AFTER,
  });
}

export function cancellationRefused(because: string, status: string): Problem {
  return new Problem({
    status: 409,
    type: because,
    title: 'Cancellation refused',
    detail: 'The parcel has left, so the order can no longer be cancelled. Ask for a return once it has arrived.',
    members: { orderStatus: status },
  });
}
