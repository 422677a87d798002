import { describe, expect, it } from '@jest/globals';
import { type AnyContract, type MessageId, newId, type OrderId, type Said } from '@millrace/contracts';
import fc from 'fast-check';
import { accepted, deadlines, messagesAbout } from './checkout.examples.ts';
import type { Checkout, CheckoutMessage, OrderAccepted, Stage } from './checkout.ts';
import { checkoutDecision } from './decide-checkout.ts';
import { hasEnded } from './order.ts';
import { asHeard, type Luck, participants, type Sent, sent } from './participants.model.ts';

const decide = checkoutDecision(deadlines);
const serviceNames = ['inventory', 'payment', 'shipping'] as const;
type ServiceName = (typeof serviceNames)[number];

// A customer who asks for ever would leave no room for other surprises.
const MAX_WISHES = 3;

/** One order in a world where everything may be late, twice, or held up; only one topic keeps its own order. */
class World {
  readonly orderId = newId<OrderId>();
  readonly orderEvents: Said[] = [];
  readonly stages = new Set<Stage>();
  readonly books;
  checkout: Checkout | undefined;
  readonly #services;
  readonly #commands: Record<ServiceName, Sent<string>[]> = { inventory: [], payment: [], shipping: [] };
  readonly #news: Record<ServiceName, Sent<CheckoutMessage>[]> = { inventory: [], payment: [], shipping: [] };
  /** Dead letters of the participants, until somebody sends them again. */
  readonly #heldUp: { readonly service: ServiceName; readonly command: Sent<string> }[] = [];
  readonly #inbox = new Set<MessageId>();
  #wishes = 0;
  #now = new Date('2026-01-01T00:00:00.000Z');

  constructor(luck: Luck) {
    const { books, services } = participants(this.orderId, luck);
    this.books = books;
    this.#services = services;
    this.#decide(accepted(this.orderId, this.#now));
  }

  get state(): Checkout {
    if (this.checkout === undefined) throw new Error('the order was accepted');
    return this.checkout;
  }

  /** Everything that happens sooner or later: messages arrive, the parcel moves. */
  get progress(): (() => void)[] {
    return [
      ...serviceNames.flatMap((service) => [
        ...(this.#commands[service].length > 0 ? [() => this.#deliverCommand(service)] : []),
        ...(this.#news[service].length > 0 ? [() => this.#deliverNews(service)] : []),
      ]),
      ...this.#services.shipping.unasked.map((act) => () => this.#say('shipping', act())),
    ];
  }

  /** Everything that may happen but need not. */
  get surprises(): (() => void)[] {
    return [
      ...(this.#wishes < MAX_WISHES ? [() => this.#wish()] : []),
      ...(this.state.deadline === null ? [] : [this.expireDeadline]),
      ...this.redrives,
      ...this.#services.inventory.unasked.map((act) => () => this.#say('inventory', act())),
      ...serviceNames.flatMap((service) => [
        ...(this.#commands[service].length > 0 ? [() => this.#holdUp(service)] : []),
        ...(this.#commands[service].length > 0 ? [() => twice(this.#commands[service])] : []),
        ...(this.#news[service].length > 0 ? [() => twice(this.#news[service])] : []),
      ]),
    ];
  }

  /** Somebody sends a dead letter again. */
  get redrives(): (() => void)[] {
    return this.#heldUp.map((one) => () => {
      this.#heldUp.splice(this.#heldUp.indexOf(one), 1);
      this.#commands[one.service].unshift(one.command);
    });
  }

  readonly expireDeadline = (): void => {
    this.#now = this.state.deadline ?? this.#now;
    this.#decide(messagesAbout(this.orderId).DeadlineExpired);
  };

  /** What happens when nobody disturbs any more: everything arrives, and where nothing does, deadlines pass. */
  settle(): void {
    for (let step = 0; step < 1_000; step += 1) {
      const [next] = [...this.progress, ...this.redrives];
      if (next !== undefined) next();
      else if (this.state.deadline !== null) this.expireDeadline();
      else return;
    }
    throw new Error(`the order never settles: ${this.state.stage}`);
  }

  #wish(): void {
    this.#wishes += 1;
    this.#decide(messagesAbout(this.orderId).CancellationRequested);
  }

  #deliverCommand(service: ServiceName): void {
    const command = this.#commands[service].shift();
    if (command !== undefined && this.#isFresh(command))
      this.#say(service, this.#services[service].hear(command.message));
  }

  #deliverNews(service: ServiceName): void {
    const news = this.#news[service].shift();
    if (news !== undefined && this.#isFresh(news)) this.#decide(news.message);
  }

  #holdUp(service: ServiceName): void {
    const command = this.#commands[service].shift();
    if (command !== undefined) this.#heldUp.push({ service, command });
  }

  #isFresh({ id }: Sent<unknown>): boolean {
    const isFresh = !this.#inbox.has(id);
    this.#inbox.add(id);
    return isFresh;
  }

  #say(service: ServiceName, news: readonly Said[]): void {
    this.#news[service].push(...news.map((said) => sent(asHeard<AnyContract>(said) as CheckoutMessage)));
  }

  #decide(message: OrderAccepted | CheckoutMessage): void {
    const before = this.checkout;
    const { state, messages } = decide(before, message, { now: this.#now, newId });
    this.checkout = { ...state, newHistory: [] };
    this.stages.add(state.stage);
    const { status, version } = state.order;
    if ((state.deadline === null) !== hasEnded(status))
      throw new Error(`deadline of ${status}: ${state.deadline?.toISOString()}`);
    const isNews = status !== before?.order.status;
    if (version !== (before?.order.version ?? 0) + (isNews ? 1 : 0)) throw new Error(`version ${version} of ${status}`);
    for (const said of messages) {
      const [owner] = said.contract.topic.name.split('.');
      if (owner === 'order') this.orderEvents.push(said);
      else this.#commands[owner as ServiceName].push(sent(said.contract.type));
    }
  }
}

function twice(queue: Sent<unknown>[]): void {
  const [head] = queue;
  if (head !== undefined) queue.push(head);
}

const mostly = (isLikely: boolean) => fc.integer({ min: 1, max: 5 }).map((roll) => roll > 1 === isLikely);

const lucks: fc.Arbitrary<Luck> = fc.record({
  isInStock: mostly(true),
  isCardGood: mostly(true),
  isPostcodeServed: mostly(true),
  forgetsUndos: fc.boolean(),
});

const scripts = fc.array(fc.record({ isSurprise: mostly(false), pick: fc.nat() }), { maxLength: 60, size: 'max' });

function live(luck: Luck, script: readonly { readonly isSurprise: boolean; readonly pick: number }[]): World {
  const world = new World(luck);
  for (const { isSurprise, pick } of script) {
    const possible = isSurprise || world.progress.length === 0 ? world.surprises : world.progress;
    possible[pick % possible.length]?.();
  }
  world.settle();
  return world;
}

describe('an order, whatever comes late, twice, out of order or not at all', () => {
  it('ends once, with money and stock both taken or both given back', () => {
    const seen = new Set<Stage>();
    fc.assert(
      fc.property(lucks, scripts, (luck, script) => {
        const { state, books, orderEvents, stages } = live(luck, script);
        for (const stage of stages) seen.add(stage);
        const events = orderEvents.map(({ contract }) => contract.type);
        const versions = orderEvents.map(({ aggregateVersion }) => aggregateVersion);
        expect(versions).toEqual([...new Set(versions)].toSorted((a = 0, b = 0) => a - b));
        if (state.stage === 'Completed') {
          expect(books).toEqual({ stock: 'committed', money: 'captured', parcel: 'delivered' });
          expect(events).toEqual(['OrderPlaced', 'OrderConfirmed', 'OrderDispatched', 'OrderCompleted']);
        } else {
          expect(state.stage).toBe('Cancelled');
          expect(['unknown', 'released', 'expired', 'rejected']).toContain(books.stock);
          expect(['unknown', 'voided', 'declined']).toContain(books.money);
          expect(['unknown', 'cancelled', 'refused']).toContain(books.parcel);
          expect(events.filter((type) => type !== 'OrderConfirmed')).toEqual(['OrderPlaced', 'OrderCancelled']);
        }
      }),
      { numRuns: 1_000 },
    );
    // The model is worth nothing if its stories end early.
    expect(seen.size).toBe(8);
  });

  it('completes when nothing goes wrong', () => {
    const luck = { isInStock: true, isCardGood: true, isPostcodeServed: true, forgetsUndos: false };
    expect(live(luck, []).state.stage).toBe('Completed');
  });
});
