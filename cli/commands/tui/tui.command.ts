import { Command } from 'commander';
import { examples, withConnection, type CommandHost } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';

export function tuiCommand(host: CommandHost): Command {
  const command = new Command('tui')
    .description('the terminal UI on any engine')
    .argument('[run]', 'id of a run to open')
    .action((runId: string | undefined, flags: ConnectionFlags) =>
      host.run(async () => (await import('./tui.ts')).tui(host.context, runId, flags)),
    );
  return examples(withConnection(command), 'hatchet tui', 'hatchet tui --data-dir ./data');
}
