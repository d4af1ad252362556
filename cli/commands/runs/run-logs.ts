import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { LogRow } from '../../monitor/run-reader.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { logLineText } from '../../output/event-line.ts';

export interface RunLogsFlags extends ConnectionFlags, OutputFlag {
  follow?: true;
  level?: string[];
  search?: string;
  limit: number;
  tail?: number;
}

export function runLogs(context: CliContext, id: string, flags: RunLogsFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const levels = flags.level?.map((level) => level.toUpperCase());
  const filter = {
    ...(levels === undefined ? {} : { levels }),
    ...(flags.search === undefined ? {} : { search: flags.search }),
  };
  return withReader(context, flags, async (reader) => {
    if (flags.follow === true) {
      await reader.getRun(id); // an unknown id is an error, not an empty stream
      const search = flags.search?.toLowerCase();
      const wanted = (line: LogRow): boolean =>
        (levels === undefined || levels.includes(line.level)) &&
        (search === undefined || line.message.toLowerCase().includes(search));
      const write = (line: LogRow): void => output.item(line, () => logLineText(line));
      let after: string | undefined;
      if (flags.tail !== undefined) {
        // What comes after the last line of all, whether that is shown or not.
        after = (await reader.listLogs(id, { limit: 1, newest: true })).at(-1)?.cursor;
        const kept = await reader.listLogs(id, { ...filter, limit: flags.tail, newest: true });
        for (const line of kept.filter(({ cursor }) => after !== undefined && BigInt(cursor) <= BigInt(after)))
          write(line);
      }
      for await (const lines of reader.streamLogs(id, after, context.interrupted))
        for (const line of lines.filter(wanted)) write(line);
      return context.interrupted.aborted ? ExitCode.interrupted : ExitCode.done;
    }
    const rows = await reader.listLogs(id, {
      ...filter,
      limit: flags.tail ?? flags.limit,
      newest: flags.tail !== undefined,
    });
    if (output.format === 'text') {
      for (const line of rows) output.item(line, () => logLineText(line));
      if (rows.length === 0) output.note('No log lines.');
    } else {
      output.list({ rows, next: null }, { columns: [], empty: '' });
    }
    return ExitCode.done;
  });
}
