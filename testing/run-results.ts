import type { EngineTime } from '../engine/index.ts';
import type { HatchetClient } from '../sdk/client.ts';
import type { RunStatusName, TaskSummary } from '../sdk/run/run-record.ts';
import type { RunTarget } from '../sdk/run/run-target.ts';
import { TestingError } from './testing-error.ts';

/** A run that has ended. */
export interface TestRun<Output> {
  runId: string;
  workflow: string;
  status: Extract<RunStatusName, 'COMPLETED' | 'FAILED' | 'CANCELLED'>;
  input: unknown;
  /** A task's own, a workflow's `{task: output}`; undefined unless it completed. */
  output: Output | undefined;
  /** Why it failed. */
  error: string | undefined;
  /** By the engine's clock. */
  startedAt: Date | undefined;
  /** By the engine's clock. */
  finishedAt: Date | undefined;
}

/** A workflow or task, by its declaration or its name. */
export type ByName<Output> = RunTarget<unknown, Output> | string;

/** Runs a page; also the most that the API gives. */
const pageSize = 1000;
/** A run began before any that the API would leave out. */
const everything = new Date(0);

/** Waits for runs to end, and reads how they ended. */
export class RunResults {
  readonly #hatchet: HatchetClient;
  readonly #time: EngineTime;

  constructor(hatchet: HatchetClient, time: EngineTime) {
    this.#hatchet = hatchet;
    this.#time = time;
  }

  /** The ended runs of a workflow, oldest first, once there are enough. @throws TestingError NOT_IN_TIME */
  async ofWorkflow<Output>(
    workflow: ByName<Output>,
    options: { count: number; timeoutMs: number },
  ): Promise<TestRun<Output>[]> {
    const name = typeof workflow === 'string' ? workflow : workflow.name;
    const { count, timeoutMs } = options;
    const rows = await this.until(timeoutMs, {
      read: () => this.#rowsOf(name),
      isEnough: (found) => found.filter(hasEnded).length >= count,
      missing: (found) =>
        `${count} ended ${count === 1 ? 'run' : 'runs'} of ${name}, and there ${found.length === 1 ? 'is' : 'are'} ${describe(found)}`,
    });
    return await Promise.all(rows.filter(hasEnded).map(async (row) => await this.#read(row, workflow)));
  }

  /** How a run ended. @throws TestingError NOT_IN_TIME; HatchetError UNKNOWN_RUN */
  async ofRun<Output>(runId: string, timeoutMs: number): Promise<TestRun<Output>> {
    await this.until(timeoutMs, {
      read: () => this.#hatchet.runs.getDetails(runId),
      isEnough: (detail) => detail.done,
      missing: (detail) => `the end of run ${runId}, which is ${detail.status}`,
    });
    const { run, tasks } = await this.#hatchet.runs.get(runId);
    const row: Row = { ...run, workflowRunExternalId: runId, workflowName: tasks[0]?.workflowName ?? '' };
    if (!hasEnded(row)) throw new Error(`run ${runId} has ended and is ${run.status}`); // Only a replay in this very moment.
    return await this.#read<Output>(row, undefined);
  }

  /** Reads again after every commit. */
  async until<T>(
    timeoutMs: number,
    wish: { read: () => Promise<T>; isEnough: (value: T) => boolean; missing: (value: T) => string },
  ): Promise<T> {
    const late = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const changed = this.#time.committed(late);
      const value = await wish.read();
      if (wish.isEnough(value)) return value;
      if (late.aborted)
        throw new TestingError(
          'NOT_IN_TIME',
          `waited ${timeoutMs} ms for ${wish.missing(value)}`,
          'Start a worker that has the task, advance the clock if it waits for time, or give a longer timeout.',
        );
      await changed;
    }
  }

  async #rowsOf(name: string): Promise<TaskSummary[]> {
    const rows: TaskSummary[] = [];
    for (;;) {
      const page = await this.#hatchet.runs.list({
        workflowNames: [name],
        since: everything,
        limit: pageSize,
        offset: rows.length,
      });
      rows.push(...page.rows);
      if (page.rows.length < pageSize) return rows.reverse();
    }
  }

  async #read<Output>(row: EndedRow, workflow: ByName<Output> | undefined): Promise<TestRun<Output>> {
    const runId = row.workflowRunExternalId;
    const { input, taskRuns } = await this.#hatchet.runs.getDetails(runId);
    const tasks = Object.keys(taskRuns);
    // The API knows no difference between a task and a workflow of one task: the declaration does.
    const alone =
      typeof workflow === 'object' ? workflow.standaloneTaskName : tasks.length === 1 ? tasks[0] : undefined;
    return {
      runId,
      workflow: row.workflowName ?? '',
      status: row.status,
      input,
      output: row.status === 'COMPLETED' ? await this.#output<Output>(runId, alone) : undefined,
      error: row.errorMessage,
      startedAt: dateOf(row.startedAt),
      finishedAt: dateOf(row.finishedAt),
    };
  }

  async #output<Output>(runId: string, task: string | undefined): Promise<Output | undefined> {
    if (task === undefined) return await this.#hatchet.runRef<Output>(runId).result();
    return (await this.#hatchet.runRef<Record<string, Output>>(runId).result())[task];
  }
}

type Row = Pick<
  TaskSummary,
  'workflowRunExternalId' | 'status' | 'workflowName' | 'errorMessage' | 'startedAt' | 'finishedAt'
>;
type EndedRow = Row & { status: TestRun<unknown>['status'] };

function hasEnded<R extends Row>(row: R): row is R & EndedRow {
  return row.status === 'COMPLETED' || row.status === 'FAILED' || row.status === 'CANCELLED';
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

function describe(rows: readonly Row[]): string {
  if (rows.length === 0) return 'none at all';
  const counts = new Map<string, number>();
  for (const { status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
}
