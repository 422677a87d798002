import { setTimeout as sleep } from 'node:timers/promises';
import { NO_MAIL_REPEATED } from '@millrace/shop';
import { CONNECTIONS, drive } from '../load/drive.ts';
import { slowLine } from '../load/slow-line.ts';
import { LAST_ORDER_WITHIN_SECONDS, within } from '../load/within.ts';
import { round } from '../measure/percentiles.ts';
import { type Millrace, startMillrace } from '../systems/millrace.ts';
import type { Bench } from './phase.ts';

export interface ScalingStep {
  readonly replicas: number;
  readonly mailsPerSecond: number;
  /** Of the speed of one replica, times the number of replicas. */
  readonly efficiency: number;
}

export interface Scaling {
  readonly service: string;
  /** How much longer than at once the mail server takes for each of its answers. */
  readonly answerDelayMs: number;
  readonly mails: number;
  readonly steps: readonly ScalingStep[];
}

const SERVICE = 'notification';
const REPLICAS = [1, 2, 4];
const MAILS_PER_ORDER = 2;

// A mail takes several answers. So a replica waits for the mail server, as it does in life, and not for a core of this machine.
const ANSWER_DELAY_MS = 20;

const LOOK_EVERY_MS = 10;
const GIVE_UP_AFTER_MS = 600_000;

/**
 * How much faster a service gets with more replicas on the same six partitions. The one that writes mails, against a mail server that
 * takes its time: where the cores of this machine are the limit, another process on it cannot help.
 */
export async function scaling(bench: Bench): Promise<Scaling> {
  const { options, say } = bench;
  const mails = options.scalingOrders * MAILS_PER_ORDER;
  say(`Scaling: ${REPLICAS.join(', ')} replicas of the ${SERVICE} service, ${mails} mails each time`);
  let smtpPort = 0;
  const line = await slowLine(() => smtpPort, ANSWER_DELAY_MS);
  try {
    const rates = await bench.run(
      (system) =>
        startMillrace({
          ...system,
          replicas: { [SERVICE]: Math.max(...REPLICAS) },
          // A replica that joins takes partitions from another, in the middle of a mail. SMTP knows no idempotency, so that mail is sent
          // again: decision 0011. All other rules hold.
          forgives: [NO_MAIL_REPEATED],
          env: (service) => (service === SERVICE ? { SMTP_URL: `smtp://127.0.0.1:${line.port}` } : {}),
        }),
      async (system) => {
        smtpPort = system.shop.mailSink.smtpPort;
        const found: number[] = [];
        for (const replicas of REPLICAS) found.push(await mailsPerSecond(bench, system, replicas));
        return found;
      },
    );
    const steps = REPLICAS.map((replicas, index) => ({
      replicas,
      mailsPerSecond: rates[index] ?? Number.NaN,
      efficiency: round((rates[index] ?? Number.NaN) / ((rates[0] ?? Number.NaN) * replicas)),
    }));
    return { service: SERVICE, answerDelayMs: ANSWER_DELAY_MS, mails, steps };
  } finally {
    await line.close();
  }
}

async function mailsPerSecond({ options, say, stop }: Bench, system: Millrace, replicas: number): Promise<number> {
  const all = system.shop.services[SERVICE];
  await system.settled();
  await Promise.all(all.map((replica) => replica.stop()));
  const before = system.shop.mailSink.total();
  const orders = options.scalingOrders;
  await drive(system, CONNECTIONS, async (placer, observer) => {
    let placed = 0;
    const served = Array.from({ length: Math.min(options.customers, orders) }, async () => {
      while (placed++ < orders) await observer.follow(await placer.place()).shipped;
    });
    await within(LAST_ORDER_WITHIN_SECONDS, 'the last order was shipped', Promise.all(served));
  });
  const started = all.slice(0, replicas);
  for (const replica of started) await replica.start();
  // The first mails are sent while not every replica has its partitions yet: they do not count.
  await Promise.all(started.map((replica) => replica.ready()));
  const due = orders * MAILS_PER_ORDER;
  const first = { atMs: performance.now(), mails: system.shop.mailSink.total() - before };
  if (first.mails > due / 2)
    throw new Error(`${due} mails are too few: half of them left before all replicas were ready`);
  for (const end = performance.now() + GIVE_UP_AFTER_MS; ; await sleep(LOOK_EVERY_MS, undefined, { signal: stop })) {
    const [atMs, mails] = [performance.now(), system.shop.mailSink.total() - before];
    if (mails >= due) {
      const rate = round((mails - first.mails) / ((atMs - first.atMs) / 1000));
      say(`  ${replicas}: ${rate} mails/s`);
      return rate;
    }
    if (performance.now() > end) throw new Error(`${due - mails} mails never arrived`);
  }
}
