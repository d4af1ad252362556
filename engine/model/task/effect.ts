import type { EntryKind } from '../durable/durable.ts';
import type { RunPayload } from '../payload/run-payload.ts';
import type { DurableAskReply } from '../durable/durable-operation.ts';
import type { TerminalStatus } from './status.ts';
import type { TenantId } from '../ids/tenant-id.ts';

/** What happens outside Postgres, once the transaction that decided it has committed. */
export type Effect =
  | DispatchEffect
  | DispatchBatchEffect
  | TellCancelEffect
  | TaskEndedEffect
  | RunEndedEffect
  | RunCreatedEffect
  | WorkerRegisteredEffect
  | WorkerEndedEffect
  | DurableAnswerEffect
  | DurableResultEffect
  | DurableDismissedEffect
  | DurableSignalEffect
  | DurableTroubleEffect;

/** An attempt, with what its worker is told. */
export interface Assignment {
  tenantId: TenantId;
  workerId: string;
  taskId: string;
  runId: string;
  workflowId: string;
  versionId: string;
  stepName: string;
  action: string;
  attempt: number;
  generation: number;
  priority: number;
  /** Step name → task id of the parents whose outputs the task can read. */
  parents: readonly { name: string; taskId: string }[];
  /** Step name → task id of those whose failure the on-failure task can read. */
  failed: readonly { name: string; taskId: string }[];
  /** JSON object of what met the task's conditions, by data key. */
  triggers: string;
  /** Of a durable task: which start this is. */
  invocation: number | null;
  /** Of a durable task: the branch with which its input is stored, in place of the run's. */
  inputBranch: number | null;
}

/** Send this attempt to its worker. */
export interface DispatchEffect extends Assignment {
  kind: 'dispatch';
}

/** Send these attempts to their worker, as one call. */
export interface DispatchBatchEffect {
  kind: 'dispatchBatch';
  batchId: string;
  key: string;
  reason: string;
  atUs: number;
  /** In the order in which they were queued. */
  members: readonly Assignment[];
}

/** Tell the worker that its attempt is over. */
export interface TellCancelEffect {
  kind: 'tellCancel';
  tenantId: TenantId;
  workerId: string;
  taskId: string;
  runId: string;
  stepName: string;
  action: string;
  attempt: number;
  invocation: number | null;
}

export interface TaskEndedEffect {
  kind: 'taskEnded';
  taskId: string;
  /** Absent unless the run has several tasks and the output may be read by children. */
  output: string | null;
}

export interface RunEndedEffect {
  kind: 'runEnded';
  tenantId: TenantId;
  runId: string;
  status: TerminalStatus;
  /** The result of a one-task run, which needs no read. */
  single: { stepName: string; output: string | null; error: string | null } | null;
}

export interface RunCreatedEffect extends RunPayload {
  kind: 'runCreated';
  runId: string;
}

export interface WorkerRegisteredEffect {
  kind: 'workerRegistered';
  tenantId: TenantId;
  workerId: string;
  name: string;
}

export interface WorkerEndedEffect {
  kind: 'workerEnded';
  workerId: string;
}

/**
 * The answer to a durable operation. An effect, so that answers and results leave in the order in which they were planned:
 * the order in which the code goes on, which a replay has to keep.
 */
export interface DurableAnswerEffect {
  kind: 'durableAnswer';
  workerId: string;
  stream: number;
  /** The request's number on its stream. */
  request: number;
  reply: DurableAskReply;
}

/** Tell a durable task's invocation how one of its operations came out. */
export interface DurableResultEffect {
  kind: 'durableResult';
  workerId: string;
  /** The worker's durable stream that it is for: on a later one it would come out of its turn. */
  stream: number;
  taskId: string;
  invocation: number;
  branch: number;
  node: number;
  entry: EntryKind;
  status: TerminalStatus;
  /** Null where it has to be read. */
  told: { output: string | null; error: string | null } | null;
}

/** Tell a worker to drop an invocation that has been superseded. */
export interface DurableDismissedEffect {
  kind: 'durableDismissed';
  workerId: string;
  taskId: string;
  invocation: number;
  reason: string;
}

/** A wait of an older SDK is satisfied. */
export interface DurableSignalEffect {
  kind: 'durableSignal';
  taskId: string;
  key: string;
  /** JSON. */
  payload: string;
}

/** An expression of a durable wait failed on an event: said in the task's log. */
export interface DurableTroubleEffect {
  kind: 'durableTrouble';
  tenantId: TenantId;
  taskId: string;
  attempt: number;
  message: string;
}
