import type { Money, OrderId } from '@millrace/contracts';
import { type Database, statement } from '@millrace/database';
import { naturalBatches } from '@millrace/messaging';
import type { CardRefusal } from '../../domain/payment.ts';

/** One thing the provider did, or refused to do. */
export interface LedgerEntry {
  readonly kind: 'authorize' | 'decline' | 'capture' | 'void' | 'refund';
  readonly reference: string;
  readonly orderId: OrderId;
  readonly amount: Money;
  readonly idempotencyKey: string;
  readonly declineReason?: CardRefusal;
}

/** What became of an entry. */
export type Recorded =
  /** What the ledger holds under the entry's idempotency key: the entry itself when it is new, else what was recorded first. */
  | { readonly kind: 'recorded'; readonly first: Omit<LedgerEntry, 'amount'>; readonly isNew: boolean }
  /** No such money: never held, or already taken, given up or given back. */
  | { readonly kind: 'refused' };

interface ChargeRow {
  readonly idempotency_key: string;
  readonly kind: LedgerEntry['kind'];
  readonly reference: string;
  readonly order_id: OrderId;
  readonly decline_reason: CardRefusal | null;
}

// More would only make the statement longer than the round trip that it saves.
const MAX_ENTRIES_PER_STATEMENT = 500;

// Any number, as long as all replicas take the same: two CREATE TABLE IF NOT EXISTS at once make one of them fail.
const CREATION_LOCK = 4_216_021;

const TABLES = `
  CREATE TABLE IF NOT EXISTS charge (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL,
    order_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('authorize', 'decline', 'capture', 'void', 'refund')),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    currency text NOT NULL,
    decline_reason text,
    idempotency_key text NOT NULL UNIQUE,
    at timestamptz NOT NULL DEFAULT now()
  );
  -- A hold is authorized once, ends once (taken or given up) and is given back once.
  CREATE UNIQUE INDEX IF NOT EXISTS charge_step_once
    ON charge (reference, (CASE WHEN kind IN ('capture', 'void') THEN 'end' ELSE kind END));
  -- The auditor asks for what was charged for an order.
  CREATE INDEX IF NOT EXISTS charge_by_order ON charge (order_id);
  CREATE TABLE IF NOT EXISTS failed_attempt (
    idempotency_key text PRIMARY KEY,
    order_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  )`;

const insert = statement(
  'ledger-insert',
  `INSERT INTO charge (reference, order_id, kind, amount_minor, currency, decline_reason, idempotency_key)
   SELECT entry.reference, entry.order_id, entry.kind, entry.amount_minor, entry.currency, entry.decline_reason, entry.idempotency_key
   FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
     AS entry (reference, order_id, kind, amount_minor, currency, decline_reason, idempotency_key, builds_on)
   LEFT JOIN charge AS earlier
     ON earlier.reference = entry.reference AND earlier.kind = entry.builds_on AND earlier.currency = entry.currency
       AND earlier.amount_minor >= entry.amount_minor
   WHERE entry.builds_on IS NULL OR earlier.id IS NOT NULL
   ON CONFLICT DO NOTHING
   RETURNING idempotency_key, kind, reference, order_id, decline_reason`,
);

const find = statement(
  'ledger-find',
  `SELECT idempotency_key, kind, reference, order_id, decline_reason FROM charge WHERE idempotency_key = ANY($1::text[])`,
);

const insertFailedAttempt = statement(
  'ledger-failed-attempt',
  'INSERT INTO failed_attempt (idempotency_key, order_id) VALUES ($1, $2) ON CONFLICT DO NOTHING',
);

/** What a step needs to have happened before, under the same reference. */
const BUILDS_ON: Record<LedgerEntry['kind'], LedgerEntry['kind'] | undefined> = {
  authorize: undefined,
  decline: undefined,
  capture: 'authorize',
  void: 'authorize',
  refund: 'capture',
};

/**
 * The books of the in-process provider: append-only, in a database that the payment service's own role cannot reach. What
 * `record` resolved to has been committed. Entries of the same moment share one statement.
 */
export class Ledger {
  /** Records an entry, once per idempotency key. */
  readonly record: (entry: LedgerEntry) => Promise<Recorded>;
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    this.record = naturalBatches((entries) => this.#recordAll(entries), { maxItems: MAX_ENTRIES_PER_STATEMENT });
  }

  /** Creates the tables where they are missing; safe for several replicas at once. */
  async create(): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [CREATION_LOCK]);
      await tx.query(TABLES);
    });
  }

  /** Remembers that a call with this key was made to fail; true the first time. */
  async recordFailedAttempt(idempotencyKey: string, orderId: OrderId): Promise<boolean> {
    const { rowCount } = await this.#database.query(insertFailedAttempt(idempotencyKey, orderId));
    return rowCount === 1;
  }

  async #recordAll(entries: readonly LedgerEntry[]): Promise<Recorded[]> {
    const { rows: inserted } = await this.#database.query<ChargeRow>(
      insert(
        entries.map(({ reference }) => reference),
        entries.map(({ orderId }) => orderId),
        entries.map(({ kind }) => kind),
        entries.map(({ amount }) => amount.amountMinor),
        entries.map(({ amount }) => amount.currency),
        entries.map(({ declineReason }) => declineReason),
        entries.map(({ idempotencyKey }) => idempotencyKey),
        entries.map(({ kind }) => BUILDS_ON[kind]),
      ),
    );
    const fresh = new Map(inserted.map((row) => [row.idempotency_key, row]));
    const repeated = await this.#find(entries.filter(({ idempotencyKey }) => !fresh.has(idempotencyKey)));
    return entries.map(({ idempotencyKey, reference }) => {
      const row = fresh.get(idempotencyKey) ?? repeated.get(idempotencyKey);
      if (row === undefined) return { kind: 'refused' };
      // Of two entries with one key in one statement, one is new and the other repeats it.
      return { kind: 'recorded', first: entryOf(row), isNew: fresh.has(idempotencyKey) && row.reference === reference };
    });
  }

  async #find(entries: readonly LedgerEntry[]): Promise<Map<string, ChargeRow>> {
    if (entries.length === 0) return new Map();
    const { rows } = await this.#database.query<ChargeRow>(find(entries.map(({ idempotencyKey }) => idempotencyKey)));
    return new Map(rows.map((row) => [row.idempotency_key, row]));
  }
}

function entryOf(row: ChargeRow): Omit<LedgerEntry, 'amount'> {
  const { kind, reference, order_id: orderId, idempotency_key: idempotencyKey, decline_reason: declineReason } = row;
  return { kind, reference, orderId, idempotencyKey, ...(declineReason === null ? {} : { declineReason }) };
}
