import { Command } from 'commander';
import { examples, withConnection, type CommandHost } from '../../command-host.ts';
import type { McpFlags } from './serve-mcp.ts';

export function mcpCommand(host: CommandHost): Command {
  const command = new Command('mcp')
    .description('serve the Model Context Protocol on stdin and stdout, so that coding agents can look at runs')
    .option('--allow-changes', 'offer tools that trigger, replay and cancel runs too (default: tools that read)')
    .action((flags: McpFlags) => host.run(async () => (await import('./serve-mcp.ts')).serveMcp(host.context, flags)));
  return examples(withConnection(command), 'hatchet mcp', 'claude mcp add hatchet -- npx hatchet mcp');
}
