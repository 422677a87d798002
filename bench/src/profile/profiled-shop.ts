import { type ServiceName, services } from '@millrace/shop';
import { countStatementsIn, forgetStatements, type StatementUse, statementsOf } from '../measure/sql-statements.ts';
import { type ByProcess, perOrder } from '../measure/usage-recorder.ts';
import { round } from '../measure/percentiles.ts';
import { measuredLoop } from '../phases/measured-loop.ts';
import type { Bench } from '../phases/phase.ts';
import { warmedUp } from '../phases/warmed-up.ts';
import { type Millrace, startMillrace } from '../systems/millrace.ts';
import type { CpuProfile } from './cpu-profile.ts';
import { inspected, openInspector } from './inspector.ts';
import type { ProfileOptions } from './options.ts';

/** A shop under load, seen from inside. */
export interface ProfiledShop {
  readonly ordersPerSecond: number;
  /** With the price of being profiled. */
  readonly cpuMsPerOrder: ByProcess;
  readonly profiles: ReadonlyMap<ServiceName, CpuProfile>;
  /** Of the time that was profiled, the costliest first; empty unless asked for. */
  readonly statements: readonly StatementUse[];
}

/** Profiles services of a shop under closed-loop load, for the time that counts only: not while they start, warm up or become quiet. */
export function profiledShop(
  bench: Bench,
  { services: chosen, countsStatements }: Pick<ProfileOptions, 'services' | 'countsStatements'>,
): Promise<ProfiledShop> {
  bench.say(`Profiling ${chosen.join(', ')}`);
  const start: typeof startMillrace = async (system) => {
    if (countsStatements) await countStatementsIn(system.dir);
    const isChosen = (service: string): boolean => chosen.some((name) => name === service);
    return startMillrace({ ...system, env: (service) => (isChosen(service) ? inspected : {}) });
  };
  return bench.run(start, (millrace) =>
    warmedUp(bench, millrace, async (placer, observer) => {
      const inspectors = await Promise.all(
        chosen.map(async (service) => [service, await openInspector(logOf(millrace, service))] as const),
      );
      const close = (): void => {
        for (const [, inspector] of inspectors) inspector.close();
      };
      // A process does not end as long as somebody is connected to its inspector.
      bench.stop.addEventListener('abort', close);
      let begun: Promise<unknown> = Promise.resolve();
      let ended: Promise<[ProfiledShop['profiles'], readonly StatementUse[]]> | undefined;
      const begin = async (): Promise<void> => {
        if (countsStatements) await forgetStatements(millrace.postgresUrl);
        await Promise.all(inspectors.map(([, inspector]) => inspector.startProfile()));
      };
      const end = async (): Promise<[ProfiledShop['profiles'], readonly StatementUse[]]> => {
        await begun;
        const profiles = await Promise.all(
          inspectors.map(async ([service, inspector]) => [service, await inspector.stopProfile()] as const),
        );
        return [new Map(profiles), countsStatements ? await statementsOf(millrace.postgresUrl) : []];
      };
      try {
        const { loop, recording } = await measuredLoop(bench, millrace, placer, observer, {
          onBegin() {
            begun = begin();
            begun.catch(() => {}); // told by `end`
          },
          onEnd() {
            ended = end();
            ended.catch(() => {}); // told below, when the last order has ended
          },
        });
        const [profiles, statements] = (await ended) ?? [new Map(), []];
        return {
          ordersPerSecond: round(loop.completed / loop.seconds),
          cpuMsPerOrder: perOrder(recording.cpuMs, loop.completed),
          profiles,
          statements,
        };
      } finally {
        bench.stop.removeEventListener('abort', close);
        close();
      }
    }),
  );
}

function logOf({ shop }: Millrace, service: ServiceName): string {
  const [replica] = shop.services[service];
  if (replica === undefined) throw new Error(`there is no ${service} service, only ${services.join(', ')}`);
  return replica.logFile;
}
