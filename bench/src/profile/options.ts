import { parseArgs } from 'node:util';
import { type ServiceName, services } from '@millrace/shop';
import { Misuse, positive } from '../options.ts';

export interface ProfileOptions {
  readonly seconds: number;
  readonly customers: number;
  readonly services: readonly ServiceName[];
  readonly countsStatements: boolean;
  readonly out: string;
}

export const PROFILE_HELP = `Profiles the services of the shop under load: everything on this machine, the load generator included.

  pnpm bench:profile [options]

Starts the embedded shop, warms it up, puts it under closed-loop load and profiles each service for that time only. Writes for each service
NAME.cpuprofile (for a browser's developer tools, VS Code or speedscope) and NAME.html, a flame graph that opens without a network, and
into summary.txt what it also prints: self time by package, by module of this repository and by function, garbage collection, and the CPU
time per order of every process. docs/how-to/profile.md tells how to read it.

  --seconds N         how long (default 20)
  --customers N       customers, each with one order under way (default 600)
  --services NAME,…   which of ${services.join(', ')} (default all)
  --sql               also which SQL statements took the most time; counting them costs the database a few per cent
  --out DIR           where the files go (default .millrace/profile)
  --help              this text

It ends with 1 when the books of the run do not add up. Ctrl-C stops everything, at any moment.`;

/** @throws {Misuse} for what it does not understand. `undefined`: the help was asked for. */
export function parseProfileOptions(args: readonly string[]): ProfileOptions | undefined {
  const values = parsed(args);
  if (values.help === true) return undefined;
  return {
    seconds: positive('--seconds', values.seconds, 20),
    customers: positive('--customers', values.customers, 600),
    services: values.services === undefined ? services : values.services.split(',').map(serviceNamed),
    countsStatements: values.sql === true,
    out: values.out ?? '.millrace/profile',
  };
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string' },
        customers: { type: 'string' },
        services: { type: 'string' },
        sql: { type: 'boolean' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

function serviceNamed(name: string): ServiceName {
  const found = services.find((service) => service === name.trim());
  if (found === undefined) throw new Misuse(`--services takes ${services.join(', ')}, and not ${name}`);
  return found;
}
