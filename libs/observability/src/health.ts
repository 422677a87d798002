/** Says why the process is not ready, or nothing when this part of it is. */
export type ReadinessCheck = () => Promise<string | undefined> | string | undefined;

export interface Readiness {
  readonly ready: boolean;
  /** `ok` or the reason, by name of the check. */
  readonly checks: Readonly<Record<string, string>>;
}

// Load balancers give up on a probe after a few seconds; a check that hangs must become an answer before that.
const CHECK_TIMEOUT_MS = 2_000;

/** Whether this process should be sent work. That it is alive needs no check: it answers. */
export class Health {
  readonly #checks = new Map<string, ReadinessCheck>();
  readonly #draining = new AbortController();

  /** A check that throws, or takes longer than 2 s, counts as a reason. A second check of the same name is an error. */
  addReadinessCheck(name: string, check: ReadinessCheck): void {
    if (this.#checks.has(name)) throw new Error(`there is a readiness check named ${name} already`);
    this.#checks.set(name, check);
  }

  /** From now on the process is not ready, for good: it is about to stop. */
  startDraining(): void {
    this.#draining.abort();
  }

  /** Aborts when the process is about to stop. Long answers, such as event streams, end then. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  async ready(): Promise<Readiness> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await reasonOf(check)] as const),
    );
    if (this.draining.aborted) results.push(['shutdown', 'the process is stopping']);
    return {
      ready: results.every(([, reason]) => reason === undefined),
      checks: Object.fromEntries(results.map(([name, reason]) => [name, reason ?? 'ok'])),
    };
  }
}

async function reasonOf(check: ReadinessCheck): Promise<string | undefined> {
  const { promise: tooLate, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve(`no answer within ${CHECK_TIMEOUT_MS} ms`), CHECK_TIMEOUT_MS);
  try {
    return await Promise.race([check(), tooLate]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
