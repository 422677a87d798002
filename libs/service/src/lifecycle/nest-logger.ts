import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@millrace/observability';

// One line per module, route and transport at each start: of use only to whoever debugs the start.
const WORDY = new Set(['InstanceLoader', 'NestApplication', 'NestFactory', 'RouterExplorer', 'RoutesResolver']);

/** Nest's own messages as lines of the service's log. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write(WORDY.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    // The application itself reports only that it could not listen, which whoever started it hears too and explains.
    this.#write(rest.at(-1) === 'NestApplication' ? 'debug' : 'error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  /** Nest passes the name of the part that speaks last, and for errors the stack before it. */
  #write(level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', message: unknown, rest: unknown[]): void {
    const part = rest.at(-1);
    const stack = level === 'error' && rest.length > 1 ? rest[0] : undefined;
    if (message instanceof Error) this.#logger[level]({ part, err: message }, message.message);
    else this.#logger[level]({ part, stack }, typeof message === 'string' ? message : JSON.stringify(message));
  }
}
