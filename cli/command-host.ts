import { Option, type Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import type { ExitCode } from './exit-codes.ts';
import { createOutput } from './output/create-output.ts';
import type { Output, OutputFormat } from './output/output.ts';

/** What a command's definition is given: the process, and a way to hand back the exit code. */
export interface CommandHost {
  context: CliContext;
  /** Behaviour is imported inside `work`, so that a command loads nothing of the others. */
  run(work: () => Promise<ExitCode>): Promise<void>;
}

export interface OutputFlag {
  output: OutputFormat;
}

/** `-o`, with the first form as the default. */
export function withOutput(command: Command, formats: readonly OutputFormat[] = ['text', 'json']): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'form of the result').choices(formats).default(formats[0]),
  );
}

/** The flags by which a command finds its engine. */
export function withConnection(command: Command): Command {
  return command
    .option('--data-dir <folder>', 'data folder of the engine (default: .hatchet in the project)')
    .option(
      '--profile <name>',
      'engine of this name, as `hatchet profile add` stored it (default: HATCHET_PROFILE, else after HATCHET_CLIENT_TOKEN the one of `hatchet profile use`)',
    )
    .option('--address <host:port>', 'gRPC address of the engine')
    .option('--api-url <url>', 'address of its REST API')
    .option('--token-file <path>', 'file with the access token, or - for stdin (default: HATCHET_CLIENT_TOKEN)')
    .option('--token <token>', 'the access token itself, which others on the machine can see; - reads it from stdin');
}

/** The flags by which a command finds a database and the key of its secrets. */
export function withAdministrationFlags(command: Command): Command {
  return withOutput(
    command
      .option('--database-url <url>', 'Postgres of the engine (default: that of the data folder)')
      .option('--data-dir <folder>', 'data folder of the engine (default: .hatchet in the project)')
      .option(
        '--secret-key-file <path>',
        'file with the key of the secrets (default: HATCHET_ENGINE_SECRET_KEY_FILE, else HATCHET_ENGINE_SECRET_KEY, else secret.key in the data folder)',
      ),
  );
}

export function outputOf(context: CliContext, flags: OutputFlag): Output {
  return createOutput(flags.output, context);
}

/** The lines that end a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}
