import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startKafka, startPostgres, temporaryFolder } from '@millrace/embedded';
import { Workbench } from '@millrace/messaging/fixtures';

/** What a bench of the runtime works with. All that it opens is closed when the bench ends, last opened first. */
export interface RuntimeBench {
  openWorkbench(groups: readonly string[], ddl?: string): Promise<Workbench>;
  readonly brokers: readonly string[];
  atTheEnd(end: () => unknown): void;
}

/** Runs a bench on a Kafka and a PostgreSQL of its own. */
export async function onOwnServers(name: string, work: (bench: RuntimeBench) => Promise<void>): Promise<void> {
  const ends: (() => unknown)[] = [];
  try {
    const folder = temporaryFolder(`millrace-${name}`);
    ends.push(() => folder.remove());
    const [kafka, postgres] = await Promise.all([
      startKafka({ dir: join(folder.path, 'kafka') }),
      startPostgres({ dir: join(folder.path, 'postgres') }),
    ]);
    ends.push(
      () => kafka.stop(),
      () => postgres.stop(),
    );
    process.env['MILLRACE_TEST_POSTGRES_URL'] = postgres.superuserUrl;
    await work({
      brokers: kafka.brokers,
      atTheEnd: (end) => void ends.push(end),
      async openWorkbench(groups, ddl) {
        const workbench = await Workbench.open(groups, ddl, kafka.brokers);
        ends.push(() => workbench.close());
        return workbench;
      },
    });
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

/**
 * Options of the command line that are whole numbers of at least 1, with what they are unless told. Ends the process, with the help, when
 * it was asked for or when something else was given.
 */
export function wholeNumbers<Name extends string>(
  help: string,
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
  const numbers = names.map(
    (name) => [name, Number((values as Record<string, unknown>)[name] ?? defaults[name])] as const,
  );
  const isValid = numbers.every(([, value]) => Number.isInteger(value) && value > 0);
  if (values['help'] === true || !isValid) {
    say(help);
    process.exit(isValid ? 0 : 2);
  }
  return Object.fromEntries(numbers) as Record<Name, number>;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
