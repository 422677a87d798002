import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';

/** Lower-case UUID text, the form that PostgreSQL prints, so that ids compare as strings everywhere. */
const uuid = z.uuid().regex(/^[0-9a-f-]+$/, 'expected a lower-case UUID');

export const OrderId = uuid.brand<'OrderId'>();
export type OrderId = z.infer<typeof OrderId>;

export const PaymentId = uuid.brand<'PaymentId'>();
export type PaymentId = z.infer<typeof PaymentId>;

export const ShipmentId = uuid.brand<'ShipmentId'>();
export type ShipmentId = z.infer<typeof ShipmentId>;

export const MessageId = uuid.brand<'MessageId'>();
export type MessageId = z.infer<typeof MessageId>;

/** The customer as the caller of the order API names them: an opaque id, never a name or an address. */
export const CustomerId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 letters, digits, "_" or "-"')
  .brand<'CustomerId'>();
export type CustomerId = z.infer<typeof CustomerId>;

/** Stock keeping unit: what a customer orders and a warehouse counts. */
export const Sku = z
  .string()
  .regex(/^[A-Z0-9][A-Z0-9-]{0,31}$/, 'expected 1 to 32 capital letters, digits or "-"')
  .brand<'Sku'>();
export type Sku = z.infer<typeof Sku>;

// Asking the system for randomness costs more than all the rest of an id, so it is asked for many ids at once.
const ID_BYTES = 16;
const randomness = new Uint8Array(256 * ID_BYTES);
let unused = 0;

// The last id's time, and where its counter stood.
let lastMs = 0;
let counter = 0;

function random(): Uint8Array {
  if (unused === 0) unused = crypto.getRandomValues(randomness).length;
  unused -= ID_BYTES;
  return randomness.subarray(unused, unused + ID_BYTES);
}

/**
 * A new UUIDv7 (RFC 9562 §5.7): unique, and later ids sort after earlier ones of the same process, so indexes on ids stay
 * append-only. The caller says which id it is: `newId<OrderId>()`.
 */
export function newId<Id extends string = MessageId>(): Id {
  const bytes = random();
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // 31 random bits of 32, so that there is room to count on.
    counter = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) >>> 1;
  } else {
    counter = (counter + 1) >>> 0;
    if (counter === 0) lastMs += 1;
  }
  return uuidv7({ random: bytes, msecs: lastMs, seq: counter }) as Id;
}
