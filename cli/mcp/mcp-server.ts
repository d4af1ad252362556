import { McpServer } from '@modelcontextprotocol/server';
import { packageRoot } from '../package-root.ts';
import { addChangingTools } from './changing-tools.ts';
import type { McpParts } from './mcp-parts.ts';
import { addReadingTools } from './reading-tools.ts';

const instructions = `Hatchet runs workflows of tasks on workers and keeps what became of each run.
Begin with list_runs (status:failed since:1h, for instance), then get_run for its tasks, input, output and errors, and run_logs for what its tasks logged. why_run says what an unfinished run waits for; list_queues, list_workers and list_schedules show the rest.
Long values come cut: a value with "cutFrom" holds its first characters. Ask with a larger max_chars for more.`;

/** The tools that a coding agent is offered. Those that change something come only where they are allowed. */
export function mcpServer({ connection, reader, admin, interrupted }: McpParts): McpServer {
  const server = new McpServer(
    { name: 'hatchet', title: 'Hatchet', version: packageRoot().version },
    { instructions, capabilities: { tools: {} } },
  );
  addReadingTools(server, reader);
  if (admin !== undefined) addChangingTools(server, { connection, reader, admin, interrupted });
  return server;
}
