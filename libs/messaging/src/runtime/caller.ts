import type { AnyMessage } from '@millrace/contracts';
import { Unavailable } from '../handlers/failures.ts';
import type { PerformHandler } from '../handlers/handler.ts';
import { aboutMessage } from '../spans/about-message.ts';
import { inCallSpan } from '../spans/call-span.ts';
import { Breaker } from './breaker.ts';
import { CallMetrics, NoAnswer } from './call-metrics.ts';
import { backoffMs, Pause } from './pause.ts';
import type { Received } from './received.ts';
import { type GroupContext, Stopped } from './settlement.ts';

const MAX_BACKOFF_MS = 5000;

// A message that finds nobody so often is parked, without a counted attempt: it may be the only one that nobody answers, and must
// not keep its place before all others for ever.
const MAX_TRIES_IN_PLACE = 20;

// oxlint-disable-next-line typescript/no-explicit-any
type AnyPerformHandler = PerformHandler<any, any, any>;

/** Makes the calls of one handler to the outside world: each bounded in time, none while the other side is away. */
export class Caller {
  readonly #context: GroupContext;
  readonly #handler: AnyPerformHandler;
  readonly #metrics: CallMetrics;
  readonly #breaker: Breaker;
  /** Cuts off each call under way. */
  readonly #underway = new Set<(reason: Error) => void>();
  readonly #waits = new Set<Pause>();
  #isStopping = false;
  /** Counts up when what waits is no longer this replica's. */
  #assignment = 0;

  /** `onOutage` hears when `outage` appears or goes. */
  constructor(context: GroupContext, handler: AnyPerformHandler, onOutage: () => void) {
    this.#context = context;
    this.#handler = handler;
    this.#metrics = new CallMetrics(context.metrics, context.group);
    this.#breaker = new Breaker(onOutage);
  }

  /** Why nobody is called at present; undefined when somebody would be. */
  get outage(): string | undefined {
    return this.#breaker.outage;
  }

  /**
   * Calls about a message and resolves with what that brings. While the other side is away it waits and calls again, with no attempt
   * counted; for a parked message it does not wait, so that its lease does not end meanwhile.
   * @throws {Stopped} the service stops, or what waits belongs to another replica.
   * @throws {Unavailable} nobody is there for this message, or for a parked one.
   */
  async call(received: Received, message: AnyMessage, state: unknown): Promise<unknown> {
    const { parked } = received;
    const attempt = (parked?.attempts ?? 0) + 1;
    const { outage } = this.#breaker;
    if (parked !== undefined && outage !== undefined) throw new Unavailable(outage);
    const assignment = this.#assignment;
    for (let away = 0; ;) {
      if (parked === undefined) await this.#breaker.pass();
      try {
        const outcome = await this.#callInSpan(received, message, state, attempt, attempt + away);
        this.#breaker.answered();
        return outcome;
      } catch (error) {
        if (error instanceof Stopped) throw error;
        if (!(error instanceof Unavailable)) {
          this.#breaker.answered();
          throw error;
        }
        // A parked message may have been parked because nobody answers for it alone: it does not speak for the others.
        if (parked !== undefined) throw error;
        this.#breaker.failed(error.message);
        away += 1;
        if (away >= MAX_TRIES_IN_PLACE) throw error;
        this.#metrics.unavailable();
        if (away === 1) {
          const { logger, group } = this.#context;
          logger.warn({ err: error, group, ...aboutMessage(message, received.span) }, 'waiting for the other side');
        }
        await this.#wait(received, backoffMs(away, MAX_BACKOFF_MS), assignment);
      }
    }
  }

  /** What waits for the other side is delivered again, here or elsewhere. Calls under way go on. */
  forget(): void {
    this.#assignment += 1;
    this.#breaker.drop(new Stopped('the partitions were assigned anew'));
    for (const wait of this.#waits) wait.wake();
  }

  /** Makes no new call. Those under way go on until `cutOff`. */
  stop(): void {
    this.#isStopping = true;
    this.#breaker.stop(new Stopped('the service stops'));
    for (const wait of this.#waits) wait.wake();
  }

  /** Ends the calls under way. */
  cutOff(): void {
    for (const end of this.#underway) end(new Stopped('the service stops'));
  }

  async #wait({ span }: Received, ms: number, assignment: number): Promise<void> {
    // While the breaker is open it says when to go on.
    if (this.#breaker.outage === undefined && !this.#isStopping) {
      span?.addEvent('waits for the next try', { 'millrace.wait_ms': Math.round(ms) });
      const pause = new Pause();
      this.#waits.add(pause);
      await pause.wait(ms);
      this.#waits.delete(pause);
    }
    if (this.#isStopping) throw new Stopped('the service stops');
    if (assignment !== this.#assignment) throw new Stopped('the partitions were assigned anew');
  }

  #callInSpan(
    { span }: Received,
    message: AnyMessage,
    state: unknown,
    attempt: number,
    number: number,
  ): Promise<unknown> {
    const name = () => this.#handler.callName(state, message);
    return inCallSpan({ message, processSpan: span, name, number }, () =>
      this.#metrics.timed(
        () => this.#callOnce(message, state, attempt),
        (error) => error instanceof Stopped,
      ),
    );
  }

  async #callOnce(message: AnyMessage, state: unknown, attempt: number): Promise<unknown> {
    const { timeoutMs } = this.#handler;
    const controller = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (reason: Error): void => {
      // Rejected before it is aborted: why it ended is ours to say, whatever the call makes of its signal.
      reject(reason);
      controller.abort(reason);
    };
    const timer = setTimeout(() => end(new NoAnswer(timeoutMs)), timeoutMs);
    this.#underway.add(end);
    try {
      return await Promise.race([
        this.#handler.perform(state, message, { idempotencyKey: message.id, attempt, signal: controller.signal }),
        ended,
      ]);
    } finally {
      clearTimeout(timer);
      this.#underway.delete(end);
    }
  }
}
