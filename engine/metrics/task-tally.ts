import type { TenantId } from '../model/ids/tenant-id.ts';
import type { HistoryRow, ResultRow } from '../model/stored-rows.ts';
import { RunStatus, runStatusNames, type TerminalStatus } from '../model/task/status.ts';
import { DurationHistogram } from './duration-histogram.ts';

/** Hatchet's, and three for queues that wait for long. */
export const waitSeconds = [0.01, 0.02, 0.05, 0.1, 0.5, 1, 2, 5, 15, 60, 300, 1800];
const runSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 3600, 21_600];
/** Hatchet's. */
const workflowMs = [
  0.1, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 1.8e6, 3.6e6, 1.08e7, 2.16e7,
  4.32e7, 8.64e7,
];
/** Workflows of a tenant with series of their own. All others count together. */
export const mostWorkflows = 200;
export const otherWorkflows = '_other';
/** Attempts that have begun and are not over, of which it is known when. Of further ones no duration is told. */
const mostOpen = 200_000;

export const taskEvents = [
  'created',
  'assigned',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
  'retried',
  'reassigned',
  'scheduling_timed_out',
  'rate_limited',
] as const;
export type TaskEvent = (typeof taskEvents)[number];

export class WorkflowTally {
  readonly counts: Record<TaskEvent, number> = {
    created: 0,
    assigned: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    skipped: 0,
    retried: 0,
    reassigned: 0,
    scheduling_timed_out: 0,
    rate_limited: 0,
  };
  /** Tasks that were given to a worker at least once. */
  assignedOnce = 0;
  readonly waited = new DurationHistogram(waitSeconds);
  readonly ran = new DurationHistogram(runSeconds);
  readonly durations = new Map<string, DurationHistogram>();

  ended(status: TerminalStatus, ms: number): void {
    const name = runStatusNames[status];
    const known = this.durations.get(name) ?? new DurationHistogram(workflowMs);
    this.durations.set(name, known);
    known.add(ms);
  }
}

export interface TenantTally {
  readonly byWorkflow: Map<string, WorkflowTally>;
  /** Names that were over the bound, as far as they are counted: no more than the bound's number again. */
  readonly leftOut: Set<string>;
}

const runEnds: ReadonlyMap<string, TerminalStatus> = new Map([
  ['RUN_COMPLETED', RunStatus.Completed],
  ['RUN_FAILED', RunStatus.Failed],
  ['RUN_CANCELLED', RunStatus.Cancelled],
]);

/** Counts what committed transactions say of tasks, each transaction in one pass. */
export class TaskTally {
  readonly tenants = new Map<TenantId, TenantTally>();
  /** By task, since when a worker has its attempt; microseconds. */
  readonly #attempts = new Map<string, number>();
  /** By run, since when it runs, where its end will not find that with the attempt. */
  readonly #runs = new Map<string, number>();

  committed(history: readonly HistoryRow[], results: readonly ResultRow[]): void {
    /** A failure that is retried has no result; all other ends have one. */
    const failed = new Set<string>();
    for (const { taskId, status } of results) if (status === RunStatus.Failed) failed.add(taskId);
    let last: HistoryRow | undefined;
    let tally: WorkflowTally | undefined;
    for (const row of history) {
      if (tally === undefined || last?.workflowName !== row.workflowName || last.tenantId !== row.tenantId)
        tally = this.#workflow(row.tenantId, row.workflowName);
      last = row;
      this.#count(row, tally, failed);
    }
  }

  /** Nothing more is heard of what these tenants run: others do it. */
  forgetOpen(): void {
    this.#attempts.clear();
    this.#runs.clear();
  }

  #count(row: HistoryRow, tally: WorkflowTally, failed: Set<string>): void {
    const { counts } = tally;
    for (const transition of row.transitions) {
      switch (transition) {
        case 'CREATED':
          counts.created++;
          break;
        case 'ASSIGNED':
          counts.assigned++;
          if (row.attempt === 0 && row.isRestored !== true) tally.assignedOnce++;
          tally.waited.add((row.waitedUs ?? 0) / 1e6);
          this.#begin(row);
          break;
        case 'RETRYING':
          counts.retried++;
          break;
        case 'REQUEUED_RATE_LIMIT':
          counts.rate_limited++;
          break;
        case 'REASSIGNED':
          counts.reassigned++;
          this.#over(row, tally);
          break;
        case 'COULD_NOT_SEND_TO_WORKER':
        case 'REQUEUED_NO_WORKER':
        case 'DURABLE_EVICTED':
          this.#over(row, tally);
          break;
        case 'SCHEDULING_TIMED_OUT':
          counts.scheduling_timed_out++;
          counts.cancelled++;
          break;
        case 'SKIPPED':
          counts.skipped++;
          break;
        case 'CANCELLED':
          counts.cancelled++;
          this.#over(row, tally);
          break;
        case 'FINISHED':
          counts.succeeded++;
          this.#over(row, tally);
          break;
        case 'FAILED':
        case 'TIMED_OUT':
          if (failed.delete(row.taskId)) counts.failed++;
          this.#over(row, tally);
          break;
        case 'RUN_COMPLETED':
        case 'RUN_FAILED':
        case 'RUN_CANCELLED':
          this.#runEnded(row, tally, runEnds.get(transition) ?? RunStatus.Completed);
          break;
        default:
      }
    }
  }

  #begin({ taskId, runId, seq }: HistoryRow): void {
    if (this.#attempts.size < mostOpen) this.#attempts.set(taskId, seq);
    if (taskId !== runId) this.#noteRun(runId, seq);
  }

  #noteRun(runId: string, startedUs: number): void {
    if (this.#runs.size < mostOpen && !this.#runs.has(runId)) this.#runs.set(runId, startedUs);
  }

  /** A run of one task began with its first attempt; where the row says its end too, nothing is kept for that. */
  #over({ taskId, runId, seq, transitions }: HistoryRow, tally: WorkflowTally): void {
    const startedUs = this.#attempts.get(taskId);
    if (startedUs === undefined) return;
    this.#attempts.delete(taskId);
    tally.ran.add(Math.max(0, seq - startedUs) / 1e6);
    if (taskId !== runId) return;
    const status = runEnds.get(transitions.at(-1) ?? '');
    if (status === undefined || this.#runs.has(runId)) this.#noteRun(runId, startedUs);
    else tally.ended(status, Math.max(0, seq - startedUs) / 1e3);
  }

  #runEnded({ runId, seq }: HistoryRow, tally: WorkflowTally, status: TerminalStatus): void {
    const startedUs = this.#runs.get(runId);
    if (startedUs === undefined) return;
    this.#runs.delete(runId);
    tally.ended(status, Math.max(0, seq - startedUs) / 1e3);
  }

  #workflow(tenantId: TenantId, name: string): WorkflowTally {
    let tenant = this.tenants.get(tenantId);
    if (tenant === undefined) {
      tenant = { byWorkflow: new Map(), leftOut: new Set() };
      this.tenants.set(tenantId, tenant);
    }
    const { byWorkflow, leftOut } = tenant;
    const known = byWorkflow.get(name);
    if (known !== undefined) return known;
    if (byWorkflow.size >= mostWorkflows) {
      if (leftOut.size < 10 * mostWorkflows) leftOut.add(name);
      return this.#others(byWorkflow);
    }
    const made = new WorkflowTally();
    byWorkflow.set(name, made);
    return made;
  }

  #others(byWorkflow: Map<string, WorkflowTally>): WorkflowTally {
    const known = byWorkflow.get(otherWorkflows) ?? new WorkflowTally();
    byWorkflow.set(otherWorkflows, known);
    return known;
  }
}
