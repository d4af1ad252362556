import { Argument, Command } from 'commander';
import { examples, type CommandHost } from '../../command-host.ts';
import { completionShells, completionScript, type CommandWords, type CompletionShell } from './completion-script.ts';
import { ExitCode } from '../../exit-codes.ts';

export function completionCommand(host: CommandHost, program: Command): Command {
  const command = new Command('completion')
    .description('a script that completes commands and flags with the tab key')
    .addArgument(new Argument('<shell>').choices(completionShells))
    .action((shell: CompletionShell) =>
      host.run(() => {
        host.context.stdout.write(completionScript(shell, words(program, [])));
        return Promise.resolve(ExitCode.done);
      }),
    );
  return examples(
    command,
    'source <(hatchet completion bash)',
    'hatchet completion fish > ~/.config/fish/completions/hatchet.fish',
  );
}

/** Every command by its words, with what may follow. */
function words(command: Command, path: readonly string[]): CommandWords[] {
  const own: CommandWords = {
    path,
    next: [
      ...command.commands.map((child) => child.name()),
      ...command.options.flatMap((option) => option.long ?? []),
      '--help',
    ],
  };
  return [own, ...command.commands.flatMap((child) => words(child, [...path, child.name()]))];
}
