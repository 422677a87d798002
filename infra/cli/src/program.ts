import { Command } from 'commander';
import type { Act } from './command.ts';
import { dlqCommand } from './dlq/dlq.ts';
import { lagCommand } from './lag.ts';
import type { Sink } from './output/output.ts';
import { parkedCommand } from './parked/parked.ts';
import { replayCommand } from './replay/replay.ts';
import { topicsCommand } from './topics.ts';

/** Options that every command has. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly shop?: string;
  readonly by?: string;
  readonly yes?: boolean;
  readonly color?: boolean;
}

const ENVIRONMENT = `
Environment, where no demo runs:
  KAFKA_BROKERS               host:port of at least one broker, separated by commas
  <SERVICE>_DATABASE_URL      the database of each service, for its own role: ORDER_DATABASE_URL, …
  KAFKA_TOPIC_PREFIX          as in the services; empty unless set

Exit codes: 0 done, 1 failed or not all of it could be done, 2 asked for wrongly, 130 on Ctrl-C.
With Docker: docker compose run --rm millrace <command>. Here: npx -y pnpm@12 -s millrace <command>.
`;

/** The whole tree of commands. What was asked for wrongly becomes a `CommanderError`, after it was said on `err`. */
export function programOf(act: Act, out: Sink, err: Sink): Command {
  const program = new Command('millrace')
    .description('Looks after the messages of a running shop: dead letters, parked keys, topics, lag, read models.')
    .option('--json', 'one JSON document on standard output and nothing else; one per line where a view repeats')
    .option('--shop <folder>', 'the data folder of a demo; without it the environment is asked, then .millrace/demo')
    .option('--by <name>', 'who does it, for the record (MILLRACE_BY, else user@host)')
    .option('--yes', 'does not ask before it changes something')
    .option('--no-color', 'plain text')
    .addHelpText('after', ENVIRONMENT);
  const commands = [dlqCommand(act), parkedCommand(act), topicsCommand(act), lagCommand(act), replayCommand(act)];
  for (const command of commands) program.addCommand(command);
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .showHelpAfterError('Add --help to see what can be asked for.')
      .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
      .configureOutput({ writeOut: (text) => void out.write(text), writeErr: (text) => void err.write(text) });
  }
  return program;
}

/** A command and all below it. */
export function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
