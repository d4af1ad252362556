import type { LogRow } from '../run-reader.ts';
import { isTerminal } from '../../status-name.ts';
import { pollMs, polls } from './polls.ts';
import type { RestClient } from './rest-client.ts';
import type { LogShape, Rows, RunDetailsShape } from './rest-shapes.ts';
import type { RunReads } from './run-reads.ts';
import { statusOf } from './run-rows.ts';
import { microseconds, timeOf } from './stored-values.ts';

/** Lines of one answer. */
const mostLines = 1000;
/** A line may be stored after a later one of another connection. */
const lateMs = 3_000;
/** Above the number of lines of one moment. */
const perMicrosecond = 10_000n;

export interface LogWish {
  limit: number;
  levels?: readonly string[];
  search?: string;
  newest?: boolean;
}

interface LoggedTask {
  taskId: string;
  name: string;
}

/** The tasks of a run, or the one that the id is of. */
export async function loggedTasks(reads: RunReads, id: string, details: RunDetailsShape): Promise<LoggedTask[]> {
  const { tasks } = await reads.names(details);
  const all = [...tasks].map(([taskId, name]) => ({ taskId, name }));
  const one = id === details.run.metadata.id ? undefined : all.find(({ taskId }) => taskId === id);
  return one === undefined ? all : [one];
}

/** The first lines of tasks together, or the last ones, in the order in which they were logged. */
export async function readLogs(
  client: Pick<RestClient, 'get'>,
  tasks: readonly LoggedTask[],
  wish: LogWish,
): Promise<LogRow[]> {
  const lists = await Promise.all(tasks.map(async (task) => numbered(task, await linesOf(client, task.taskId, wish))));
  const rows = lists.flat().sort(byCursor);
  return wish.newest === true ? rows.slice(-wish.limit) : rows.slice(0, wish.limit);
}

/** Oldest first; those after a time, where one is given. */
async function linesOf(
  client: Pick<RestClient, 'get'>,
  taskId: string,
  { limit, levels = [], search, newest = false }: LogWish,
  since?: string,
): Promise<LogShape[]> {
  let lines: LogShape[] = [];
  for (let from = since; ;) {
    const asked = newest ? limit : Math.min(mostLines, limit);
    const query = { limit: asked, since: from, levels, search, order_by_direction: newest ? 'DESC' : 'ASC' };
    const { rows = [] } = await client.get<Rows<LogShape>>(`/api/v1/stable/tasks/${taskId}/logs`, query);
    if (newest) return rows.reverse();
    lines.push(...after(rows, from));
    const last = rows.at(-1);
    if (rows.length < asked || lines.length >= limit || last === undefined) return lines.slice(0, limit);
    // Lines have no numbers: what is logged in the millisecond of the last one is asked for once more.
    const before = new Date(Date.parse(last.createdAt) - 1).toISOString();
    // A moment that fills an answer cannot be read on from.
    if (from !== undefined && Date.parse(before) <= Date.parse(from)) return lines;
    const sure = lines.length - after(lines, before).length;
    if (sure === 0) return lines;
    lines = lines.slice(0, sure);
    from = before;
  }
}

/** Our engine gives lines of the very time too, a cluster does not. */
function after(lines: readonly LogShape[], since: string | undefined): LogShape[] {
  return since === undefined ? [...lines] : lines.filter((line) => microseconds(line.createdAt) > microseconds(since));
}

/** Lines have no numbers: their times are, and of one moment their places. */
function numbered({ taskId, name }: LoggedTask, lines: readonly LogShape[]): LogRow[] {
  let last = -1n;
  return lines.map((line) => {
    const own = BigInt(microseconds(line.createdAt)) * perMicrosecond;
    last = own > last ? own : last + 1n;
    return {
      cursor: String(last),
      time: timeOf(line.createdAt),
      taskId,
      task: name,
      attempt: line.retryCount ?? 0,
      level: line.level ?? 'INFO',
      message: line.message,
    };
  });
}

function byCursor(a: LogRow, b: LogRow): number {
  const difference = BigInt(a.cursor) - BigInt(b.cursor);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

interface FollowedLogs {
  client: Pick<RestClient, 'get'>;
  reads: RunReads;
  id: string;
  after: string | undefined;
  signal: AbortSignal;
}

/** Lines as they come, each once, until the run has ended and a look brought nothing more. */
export async function* followLogs({
  client,
  reads,
  id,
  after,
  signal,
}: FollowedLogs): AsyncGenerator<readonly LogRow[], void, undefined> {
  const told: Told = new Map();
  const afterCursor = after === undefined ? -1n : BigInt(after);
  const lastTimes = new Map<string, string>();
  for await (const count of polls(pollMs.logs, signal)) {
    const details = await reads.details(id);
    const tasks = await loggedTasks(reads, id, details);
    const lists = await Promise.all(
      tasks.map(async (task) => {
        const last = lastTimes.get(task.taskId);
        const since = last === undefined ? undefined : new Date(Date.parse(last) - lateMs).toISOString();
        const lines = await linesOf(client, task.taskId, { limit: Number.POSITIVE_INFINITY }, since);
        const newest = lines.at(-1)?.createdAt;
        if (newest !== undefined) lastTimes.set(task.taskId, newest);
        return unseen(task, lines, told);
      }),
    );
    const fresh = lists
      .flat()
      .filter((row) => BigInt(row.cursor) > afterCursor)
      .sort(byCursor);
    forget(told, lastTimes);
    if (fresh.length > 0) yield fresh;
    if (count > 0 && fresh.length === 0 && isTerminal(statusOf(details.run))) return;
  }
}

/** By all that is known of a line: how many such lines were told. */
type Told = Map<string, { taskId: string; ms: number; count: number }>;

/** What is too old to be asked for again. */
function forget(told: Told, lastTimes: ReadonlyMap<string, string>): void {
  for (const [key, { taskId, ms }] of told)
    if (ms < Date.parse(lastTimes.get(taskId) ?? '') - 2 * lateMs) told.delete(key);
}

/** Those that were not told yet: equal lines of one moment are counted. */
function unseen(task: LoggedTask, lines: readonly LogShape[], told: Told): LogRow[] {
  const found = new Map<string, number>();
  return numbered(task, lines).filter((_row, index) => {
    const line = lines[index];
    const key = JSON.stringify([task.taskId, line?.createdAt, line?.retryCount, line?.level, line?.message]);
    const number = (found.get(key) ?? 0) + 1;
    found.set(key, number);
    if (number <= (told.get(key)?.count ?? 0)) return false;
    told.set(key, { taskId: task.taskId, ms: Date.parse(line?.createdAt ?? ''), count: number });
    return true;
  });
}
