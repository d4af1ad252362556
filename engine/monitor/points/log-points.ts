import { filteredLines, filterValues, type LogFilter } from '../lines/tenant-logs.ts';
import type { logLevels } from '../lines/log-reads.ts';
import type { Reader } from '../read-snapshot.ts';
import type { Window } from './window.ts';

export type LevelCounts = Record<(typeof logLevels)[number], number>;

function countLines(ofTasks: boolean): { name: string; text: string } {
  return {
    name: ofTasks ? 'count_lines_of_tasks' : 'count_lines',
    text: `
      SELECT floor(extract(epoch FROM g.at - $2::timestamptz) * 1000 / $11::bigint)::integer AS place,
        (count(*) FILTER (WHERE g.level = 0))::integer AS "DEBUG",
        (count(*) FILTER (WHERE g.level = 1))::integer AS "INFO",
        (count(*) FILTER (WHERE g.level = 2))::integer AS "WARN",
        (count(*) FILTER (WHERE g.level = 3))::integer AS "ERROR"
      ${filteredLines(ofTasks)}
      GROUP BY 1`,
  };
}

const ofTenant = countLines(false);
const ofSomeTasks = countLines(true);

/** How many lines of each level there are in a window, by point. */
export async function countLogPoints(
  reader: Reader,
  filter: LogFilter,
  window: Window,
): Promise<Map<number, LevelCounts>> {
  const { rows } = await reader.query<LevelCounts & { place: number }>({
    ...(filter.taskIds.length > 0 ? ofSomeTasks : ofTenant),
    values: [...filterValues(filter, window), window.widthMs],
  });
  return new Map(rows.map(({ place, DEBUG, INFO, WARN, ERROR }) => [place, { DEBUG, INFO, WARN, ERROR }]));
}
