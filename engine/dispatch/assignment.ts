/** An attempt to send, once its payload is at hand. */
export interface Assignment {
  tenantId: string;
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

/** One message to a worker: an attempt, or the members of a batch. */
export interface Sending {
  /** Of one worker. */
  readonly assignments: readonly Assignment[];
  readonly batch: BatchFacts | null;
}

export interface BatchFacts {
  readonly id: string;
  readonly key: string;
  /** Why it went. */
  readonly reason: string;
  readonly atUs: number;
}
