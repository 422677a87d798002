import { setTimeout as wait } from 'node:timers/promises';
import { newId } from '@millrace/contracts';
import { type Database, isDatabaseUnavailable } from '@millrace/database';
import { PermanentFailure, Unavailable } from '@millrace/messaging';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { CardRefusal } from '../../domain/payment.ts';
import { type AuthorizeCall, type Authorization, type ChargeCall, PaymentProvider } from '../payment-provider.ts';
import { Ledger, type LedgerEntry, type Recorded } from './ledger.ts';

// Longer than anybody likes to wait, shorter than the time that a call may take.
const SLOW_CARD_MS = 2_000;

/**
 * Stands in for a payment provider: somebody else's system with books of its own, living in this process. The token decides how
 * a card behaves; a token that is none of the test tokens is declined. Closes the database of its books when the service stops.
 */
export class InProcessProvider extends PaymentProvider implements OnModuleInit, OnApplicationShutdown {
  // Its books take what comes at the same time in one statement, so more at once cost less each.
  override readonly concurrency = 500;
  readonly #database: Database;
  readonly #ledger: Ledger;
  readonly #slowCardMs: number;
  #creation: Promise<void> | undefined;

  constructor(database: Database, options: { readonly slowCardMs?: number } = {}) {
    super();
    this.#database = database;
    this.#ledger = new Ledger(database);
    this.#slowCardMs = options.slowCardMs ?? SLOW_CARD_MS;
  }

  /** Creates the books, unless their database is away: then the first call does. */
  async onModuleInit(): Promise<void> {
    await this.#ready().catch((error: unknown) => {
      if (!(error instanceof Unavailable)) throw error;
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#database.close();
  }

  async authorize(call: AuthorizeCall): Promise<Authorization> {
    call.signal.throwIfAborted();
    await this.#ready();
    switch (call.token) {
      case 'tok_approved':
        return authorizationIn(await this.#approve(call), call);
      case 'tok_insufficient_funds':
        return this.#decline(call, 'insufficient-funds');
      case 'tok_slow':
        await wait(this.#slowCardMs, undefined, { signal: call.signal });
        return authorizationIn(await this.#approve(call), call);
      case 'tok_error_then_success':
        if (await this.#books(() => this.#ledger.recordFailedAttempt(call.idempotencyKey, call.orderId))) {
          throw new Error('the payment provider failed before it did anything (tok_error_then_success)');
        }
        return authorizationIn(await this.#approve(call), call);
      case 'tok_error_after_charging': {
        const approval = await this.#approve(call);
        if (approval.kind === 'recorded' && approval.isNew) {
          throw new Error('the payment provider failed after it held the money (tok_error_after_charging)');
        }
        return authorizationIn(approval, call);
      }
      default:
        return this.#decline(call, 'card-declined');
    }
  }

  async capture(call: ChargeCall): Promise<void> {
    await this.#move('capture', call);
  }

  async void(call: ChargeCall): Promise<void> {
    await this.#move('void', call);
  }

  async refund(call: ChargeCall): Promise<void> {
    await this.#move('refund', call);
  }

  #approve(call: AuthorizeCall): Promise<Recorded> {
    return this.#record({ kind: 'authorize', reference: newReference(), ...factsOf(call) });
  }

  async #decline(call: AuthorizeCall, declineReason: CardRefusal): Promise<Authorization> {
    const recorded = await this.#record({
      kind: 'decline',
      reference: newReference(),
      declineReason,
      ...factsOf(call),
    });
    return authorizationIn(recorded, call);
  }

  async #move(kind: 'capture' | 'void' | 'refund', call: ChargeCall): Promise<void> {
    call.signal.throwIfAborted();
    await this.#ready();
    const recorded = await this.#record({ kind, reference: call.reference, ...factsOf(call) });
    if (recorded.kind === 'refused') {
      throw new PermanentFailure(
        'refused-by-provider',
        `the provider cannot ${kind} ${call.reference}: nothing is left of it to ${kind}`,
      );
    }
    const { first } = recorded;
    if (first.kind !== kind || first.reference !== call.reference) throw keyReused(call.idempotencyKey);
  }

  #record(entry: LedgerEntry): Promise<Recorded> {
    return this.#books(() => this.#ledger.record(entry));
  }

  #ready(): Promise<void> {
    this.#creation ??= this.#books(() => this.#ledger.create()).catch((error: unknown) => {
      this.#creation = undefined;
      throw error;
    });
    return this.#creation;
  }

  async #books<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isDatabaseUnavailable(error))
        throw new Unavailable('the payment provider is away: its ledger cannot be reached', { cause: error });
      throw error;
    }
  }
}

function authorizationIn(recorded: Recorded, { orderId, idempotencyKey }: AuthorizeCall): Authorization {
  if (recorded.kind === 'refused') throw new Error('the provider made a reference that it had used before');
  const { first } = recorded;
  if (first.orderId !== orderId) throw keyReused(idempotencyKey);
  if (first.kind === 'authorize') return { kind: 'authorized', reference: first.reference };
  if (first.kind === 'decline' && first.declineReason !== undefined)
    return { kind: 'declined', reason: first.declineReason };
  throw keyReused(idempotencyKey);
}

function keyReused(idempotencyKey: string): PermanentFailure {
  return new PermanentFailure(
    'idempotency-key-reused',
    `the idempotency key ${idempotencyKey} was used for another call`,
  );
}

function factsOf({
  orderId,
  amount,
  idempotencyKey,
}: AuthorizeCall | ChargeCall): Pick<LedgerEntry, 'orderId' | 'amount' | 'idempotencyKey'> {
  return { orderId, amount, idempotencyKey };
}

function newReference(): string {
  return `ch_${newId<string>().replaceAll('-', '')}`;
}
