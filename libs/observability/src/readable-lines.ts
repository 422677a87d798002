import { styleText } from 'node:util';
import type { DestinationStream } from 'pino';

const COLOURS = { trace: 'gray', debug: 'gray', info: 'green', warn: 'yellow', error: 'red', fatal: 'red' } as const;

interface Line extends Record<string, unknown> {
  readonly level: keyof typeof COLOURS;
  readonly time: string;
  readonly service: string;
  readonly msg?: string;
  readonly err?: { readonly stack?: string };
}

/** Turns each JSON line into `12:34:56.789 WARN order message key=value`, with the stack of an error below it. */
export function readableLines(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(readable(JSON.parse(line) as Line)) };
}

function readable({ level, time, service, msg, err, pid: _, ...rest }: Line): string {
  const details = Object.entries(rest).map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const label = styleText(COLOURS[level], level.toUpperCase().padEnd(5));
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`;
  return `${time.slice(11, 23)} ${label} ${service} ${msg ?? ''}${styleText('gray', details.join(''))}${stack}\n`;
}
