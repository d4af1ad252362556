import { HatchetError } from '../errors.ts';
import { parseUuid } from '../model/uuid.ts';
import { readChildCounts } from '../monitor/child-counts.ts';
import { readRunJournal, rowEvents, type JournalEvent } from '../monitor/journal-reads.ts';
import { readRunDetail, type RunDetail, type TaskDetail } from '../monitor/run-detail.ts';
import type { RestDeps } from './deps.ts';

const journalRows = 10_000;

/** By the run's id or a task's. @throws HatchetError UNKNOWN_RUN, for another tenant's as for none */
export async function knownRun(deps: RestDeps, tenantId: string, id: string): Promise<RunDetail> {
  const uuid = parseUuid(id);
  const run = uuid === undefined ? undefined : await readRunDetail(deps.pool, tenantId, uuid);
  if (run === undefined) throw new HatchetError('UNKNOWN_RUN', `there is no run ${JSON.stringify(id)}`, { remedy: 'Check the id.' });
  return run;
}

/** By the task's own id; that of a run of several tasks is none. @throws HatchetError UNKNOWN_RUN */
export async function knownTask(deps: RestDeps, tenantId: string, id: string): Promise<{ run: RunDetail; task: TaskDetail }> {
  const run = await knownRun(deps, tenantId, id);
  const task = run.tasks.find((candidate) => candidate.id === parseUuid(id));
  if (task === undefined) throw new HatchetError('UNKNOWN_RUN', `there is no task ${JSON.stringify(id)}`, { remedy: 'Check the id: it is a run of several tasks.' });
  return { run, task };
}

export async function runEvents(deps: RestDeps, run: RunDetail): Promise<JournalEvent[]> {
  return (await readRunJournal(deps.pool, run.tenantId, run.id, 0, journalRows)).flatMap(rowEvents);
}

export function childCounts(deps: RestDeps, tenantId: string, runs: readonly RunDetail[]): Promise<Map<string, number>> {
  return readChildCounts(
    deps.pool,
    tenantId,
    runs.flatMap((run) => run.tasks.map((task) => task.id)),
  );
}
