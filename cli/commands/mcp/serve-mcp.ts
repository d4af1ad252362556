import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { RunAdmin } from '../../admin/run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { mcpServer } from '../../mcp/mcp-server.ts';
import { openReader } from '../../monitor/open-reader.ts';

export interface McpFlags extends ConnectionFlags {
  allowChanges?: true;
}

/** Until its client closes stdin. The engine may come and go meanwhile: each call that needs it says so. */
export async function serveMcp(context: CliContext, flags: McpFlags): Promise<ExitCode> {
  const connection = resolveConnection(context, flags);
  const reader = openReader(connection);
  const admin = flags.allowChanges === true ? new RunAdmin(connection) : undefined;
  const transport = new StdioServerTransport(context.stdin, context.stdout);
  try {
    await new Promise<void>((resolve) => {
      const served = serveStdio(() => mcpServer({ connection, reader, admin, interrupted: context.interrupted }), {
        transport,
        onerror: (error) => context.stderr.write(`hatchet mcp: ${error.message}\n`),
      });
      // The transport closes itself then, and tells nobody but its owner.
      context.stdin.once('end', resolve);
      context.stdin.once('close', resolve);
      context.interrupted.addEventListener('abort', () => void served.close().finally(resolve), { once: true });
    });
    return ExitCode.done;
  } finally {
    admin?.close();
    reader.close();
  }
}
