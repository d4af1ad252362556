import { CommanderError, type Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { ExitCode } from './exit-codes.ts';
import { reportError } from './output/report-error.ts';
import { createProgram } from './program.ts';

/** Runs one command line, from its arguments to its exit code. Never throws. */
export async function runProgram(args: readonly string[], context: CliContext): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.done;
  const program = createProgram({
    context,
    async run(work) {
      exitCode = await work();
    },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return commandLineError(error, context, commandOf(program, args));
    const report = reportError(error);
    context.stderr.write(`${report.text}\n`);
    return context.interrupted.aborted ? ExitCode.interrupted : report.exitCode;
  }
}

/** Asking for help is no mistake; a command without its subcommand is one, and shows the help. */
function commandLineError(error: CommanderError, context: CliContext, command: string): ExitCode {
  if (error.exitCode === 0) return ExitCode.done;
  if (error.code !== 'commander.help') context.stderr.write(`${error.message}\n  See \`${command} --help\`.\n`);
  return ExitCode.wrongUse;
}

/** As far as the arguments name one: `hatchet trigger workflow`. */
function commandOf(program: Command, args: readonly string[]): string {
  let command = program;
  const names = [program.name()];
  for (const arg of args) {
    const next = command.commands.find((each) => each.name() === arg || each.aliases().includes(arg));
    if (next === undefined) break;
    command = next;
    names.push(command.name());
  }
  return names.join(' ');
}
