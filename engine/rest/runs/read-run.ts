import { HatchetError } from '../../base/errors.ts';
import { maxPageBytes, maxRunBytes } from '../../model/limits.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import { readWithin, type Held } from '../../monitor/budget/answers-in-flight.ts';
import { readChildCounts } from '../../monitor/runs/child-counts.ts';
import { readRunJournal, rowEvents, type JournalEvent } from '../../monitor/journal/journal-reads.ts';
import {
  noPayloads,
  payloadSize,
  readRunDetail,
  type PayloadWish,
  type RunDetail,
  type TaskDetail,
} from '../../monitor/runs/run-detail.ts';
import type { RestDeps } from '../deps.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

const journalRows = 10_000;

/** By the run's id or a task's, without payloads. @throws HatchetError UNKNOWN_RUN, for another tenant's as for none */
export function knownRun(deps: RestDeps, tenantId: TenantId, id: string): Promise<RunDetail> {
  return readRun(deps, tenantId, id, noPayloads);
}

async function readRun(deps: RestDeps, tenantId: TenantId, id: string, payloads: PayloadWish): Promise<RunDetail> {
  const uuid = parseUuid(id);
  const run = uuid === undefined ? undefined : await readRunDetail(deps.pool, tenantId, uuid, payloads);
  if (run === undefined)
    throw new HatchetError('UNKNOWN_RUN', `there is no run ${JSON.stringify(id)}`, { remedy: 'Check the id.' });
  return run;
}

/** By the task's own id, without payloads; that of a run of several tasks is none. @throws HatchetError UNKNOWN_RUN */
export async function knownTask(
  deps: RestDeps,
  tenantId: TenantId,
  id: string,
): Promise<{ run: RunDetail; task: TaskDetail }> {
  const run = await knownRun(deps, tenantId, id);
  return { run, task: taskOf(run, id) };
}

function taskOf(run: RunDetail, id: string): TaskDetail {
  const task = run.tasks.find((candidate) => candidate.id === parseUuid(id));
  if (task === undefined)
    throw new HatchetError('UNKNOWN_RUN', `there is no task ${JSON.stringify(id)}`, {
      remedy: 'Check the id: it is a run of several tasks.',
    });
  return task;
}

/** A run with its payloads, as far as they fit an answer, as a message. @throws HatchetError UNKNOWN_RUN */
export function heldRun<T>(
  deps: RestDeps,
  tenantId: TenantId,
  id: string,
  message: (run: RunDetail) => T | Promise<T>,
): Promise<Held<T>> {
  return readWithin(maxRunBytes, async (bytes) => {
    const run = await readRun(deps, tenantId, id, { bytes, data: true });
    return { value: await message(run), ...payloadSize([run]) };
  });
}

/** A task with its own payloads, as a message. @throws HatchetError UNKNOWN_RUN */
export function heldTask<T>(
  deps: RestDeps,
  tenantId: TenantId,
  id: string,
  message: (run: RunDetail, task: TaskDetail) => T | Promise<T>,
): Promise<Held<T>> {
  return readWithin(maxPageBytes, async (bytes) => {
    const run = await readRun(deps, tenantId, id, { bytes, data: true, taskId: parseUuid(id) ?? id });
    return { value: await message(run, taskOf(run, id)), ...payloadSize([run]) };
  });
}

export async function runEvents(deps: RestDeps, run: RunDetail): Promise<JournalEvent[]> {
  return (await readRunJournal(deps.pool, run.tenantId, run.id, 0, journalRows)).flatMap(rowEvents);
}

export function childCounts(
  deps: RestDeps,
  tenantId: TenantId,
  runs: readonly RunDetail[],
): Promise<Map<string, number>> {
  return readChildCounts(
    deps.pool,
    tenantId,
    runs.flatMap((run) => run.tasks.map((task) => task.id)),
  );
}
