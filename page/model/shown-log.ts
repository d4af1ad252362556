import type { LogRow } from '../../cli/monitor/run-reader.ts';
import { plainLines } from '../../cli/output/plain-text.ts';

export const logLevels = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const;

/** More lines than this are not kept in the page; the first ones go. */
export const keptLines = 5_000;

export interface LogFilter {
  /** Empty for all. */
  levels: ReadonlySet<string>;
  search: string;
  /** Empty for every task. */
  taskId: string;
}

export function shownLines(lines: readonly LogRow[], { levels, search, taskId }: LogFilter): readonly LogRow[] {
  const wanted = search.toLowerCase();
  return lines.filter(
    (line) =>
      (levels.size === 0 || levels.has(line.level)) &&
      (taskId === '' || line.taskId === taskId) &&
      (wanted === '' || line.message.toLowerCase().includes(wanted)),
  );
}

/** A line as it is shown: without what controls a terminal, or is not seen, or turns the text around it. */
export function logText(line: LogRow): string {
  return plainLines(line.message);
}

/** New lines after those that are kept. */
export function appended(lines: readonly LogRow[], more: readonly LogRow[]): readonly LogRow[] {
  if (more.length === 0) return lines;
  const all = [...lines, ...more];
  return all.length > keptLines ? all.slice(all.length - keptLines) : all;
}
