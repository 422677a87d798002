import {
  openStage,
  playTour,
  scenes,
  type Audience,
  type Product,
  type ShopUrls,
  type StageOptions,
  type TimelineEntry,
} from '../tour.ts';
import type { Screen } from './screen.ts';

const SERVICE_WIDTH = 13;

export interface TourOptions extends StageOptions {
  /** Turns a trace id into what is shown of it; without it no traces are shown. */
  readonly traceLink?: (traceId: string) => string;
}

/** Plays the tour and shows it; resolves to the number of checks that did not hold, and to what was sold. */
export async function showTour(
  urls: ShopUrls,
  screen: Screen,
  options: TourOptions = {},
): Promise<{ failures: number; product: Product }> {
  const { color } = screen;
  const { traceLink } = options;
  let failures = 0;
  const audience: Audience = {
    placed({ orderId, traceId }) {
      if (traceLink === undefined || traceId === undefined) return;
      screen.line(`     order ${orderId}  trace ${color.cyan(traceLink(traceId))}`);
    },
    heard: (entry) => screen.line(messageLine(entry, color)),
    told: (line) => screen.line(`     ${line}`),
    checked({ sentence, holds, difference }) {
      if (holds) screen.line(`     ${color.green('✔')} ${sentence}`);
      else screen.line(`     ${color.red('✘')} ${color.bold(sentence)}: ${difference}`);
      if (!holds) failures += 1;
    },
  };
  const stage = await openStage(urls, audience, options);
  await playTour(stage, ({ name, story }, number) => {
    screen.line();
    screen.line(`${color.bold(`${number}/${scenes.length}  ${name}`)}`);
    screen.line(`     ${color.dim(story)}`);
  });
  return { failures, product: stage.product };
}

/** Says whether every check of a tour and its books held; `whereToLook` is for one that did not. */
export function showOutcome(failed: number, screen: Screen, whereToLook?: string): void {
  const { color } = screen;
  screen.line();
  if (failed === 0) return screen.line(color.green(color.bold('Every check held.')));
  const bad = `${failed} checks did not hold.`;
  screen.line(color.red(color.bold(whereToLook === undefined ? bad : `${bad} ${whereToLook}`)));
}

function messageLine({ sinceStartMs, service, type, kind, about }: TimelineEntry, color: Screen['color']): string {
  const after = color.dim(`${`+${sinceStartMs}`.padStart(8)} ms`);
  const what = about === undefined ? type : `${type}: ${about}`;
  const isUnhappy = /Rejected|Declined|Refused|Cancelled|Voided|Released|Refunded/.test(type);
  const said = kind === 'command' ? color.dim(`→ ${what}`) : isUnhappy ? color.yellow(what) : what;
  return `${after}  ${color.cyan(service.padEnd(SERVICE_WIDTH))} ${said}`;
}
