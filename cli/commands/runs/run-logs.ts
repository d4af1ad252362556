import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-code.ts';
import type { LogRow } from '../../monitor/run-reader.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { logLineText } from '../../output/event-line.ts';

export interface RunLogsFlags extends ConnectionFlags, OutputFlag {
  follow?: true;
  level?: string[];
  search?: string;
  limit: number;
}

export function runLogs(context: CliContext, id: string, flags: RunLogsFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const levels = flags.level?.map((level) => level.toUpperCase());
  return withReader(context, flags, async (reader) => {
    if (flags.follow === true) {
      await reader.getRun(id); // an unknown id is an error, not an empty stream
      const wanted = (line: LogRow): boolean => (levels === undefined || levels.includes(line.level)) && (flags.search === undefined || line.message.includes(flags.search));
      for await (const lines of reader.streamLogs(id, undefined, context.interrupted)) {
        for (const line of lines.filter(wanted)) output.item(line, () => logLineText(line));
      }
      return context.interrupted.aborted ? ExitCode.interrupted : ExitCode.done;
    }
    const rows = await reader.listLogs(id, { limit: flags.limit, ...(levels === undefined ? {} : { levels }), ...(flags.search === undefined ? {} : { search: flags.search }) });
    if (output.format === 'text') {
      for (const line of rows) output.item(line, () => logLineText(line));
      if (rows.length === 0) output.note('No log lines.');
    } else {
      output.list({ rows, next: null }, { columns: [], empty: '' });
    }
    return ExitCode.done;
  });
}
