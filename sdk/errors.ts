import { types } from 'node:util';
import { safely, textOf } from './failure/safe-reads.ts';

/** Stable codes of what the SDK throws, and of attempts that the limits of isolation have ended. They are part of the public contract: a code is never renamed. */
export type HatchetErrorCode =
  | 'NOT_CONFIGURED'
  | 'UNREACHABLE'
  | 'UNAUTHENTICATED'
  | 'UNKNOWN_WORKFLOW'
  | 'UNKNOWN_RUN'
  | 'INVALID_ARGUMENT'
  | 'INVALID_DEFINITION'
  | 'INVALID_DURATION'
  | 'INVALID_INPUT'
  | 'INVALID_OUTPUT'
  | 'PAYLOAD_TOO_LARGE'
  | 'IDEMPOTENCY_COLLISION'
  | 'NO_PARENT_OUTPUT'
  | 'NOT_SUPPORTED'
  | 'NON_DETERMINISM'
  | 'RUN_FAILED'
  | 'RUN_CANCELLED'
  | 'TASK_CANCELLED'
  | 'WORKER_NOT_READY'
  | 'STOPPED'
  | 'ENGINE_ERROR'
  | 'NO_ANSWER'
  | 'ISOLATION_UNAVAILABLE'
  | 'NOT_GRANTED'
  | 'TASK_NOT_FOUND'
  | 'RUNNER_LOST'
  | 'MEMORY_LIMIT'
  | 'CPU_LIMIT'
  | 'OUTPUT_LIMIT';

export interface HatchetErrorOptions {
  /** What to do next, one imperative sentence; it is part of the message. */
  remedy?: string | undefined;
  cause?: unknown;
}

/** What the SDK throws on purpose: a stable code, what happened to what, and what to do next. */
export class HatchetError extends Error {
  readonly code: HatchetErrorCode;
  readonly remedy: string | undefined;

  constructor(code: HatchetErrorCode, message: string, options: HatchetErrorOptions = {}) {
    super(
      options.remedy === undefined ? message : `${message}. ${options.remedy}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'HatchetError';
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** Throw this from a task: the attempt fails and is not retried, whatever the task's `retries`. */
export class NonRetryableError extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NonRetryableError';
  }
}

/**
 * A durable task's code has asked for something else than it did the first time, as its log has it. The task fails, and is
 * not retried; where its code catches this, all that it asks for afterwards throws it too. Branch the task from that node, guard the change with `ctx.patched`, or start a new run.
 */
export class NonDeterminismError extends HatchetError {
  readonly taskExternalId: string;
  readonly invocationCount: number;
  /** The node of the log that holds something else. */
  readonly nodeId: number;

  constructor(facts: { taskExternalId: string; invocationCount: number; nodeId: number; message: string }) {
    super('NON_DETERMINISM', facts.message);
    this.name = 'NonDeterminismError';
    this.taskExternalId = facts.taskExternalId;
    this.invocationCount = facts.invocationCount;
    this.nodeId = facts.nodeId;
  }
}

/** One task of a run that failed. */
export interface TaskFailure {
  taskName: string;
  taskRunExternalId: string;
  /** The message of the error that the task threw in its last attempt, with what caused it: `fetch failed: connect ECONNREFUSED 127.0.0.1:80`. */
  message: string;
  /** The stack of that error, as the worker saw it, with those of its causes. */
  stack: string | undefined;
  /** The `code` of that error, else of the first cause that has one: `ECONNREFUSED`. */
  code: string | undefined;
}

/** A run failed. The message is the first failed task's; `errors` holds every failed task. */
export class RunFailedError extends HatchetError {
  readonly workflowRunId: string;
  readonly errors: readonly TaskFailure[];

  constructor(workflowRunId: string, errors: readonly TaskFailure[]) {
    super('RUN_FAILED', failureMessage(errors));
    this.name = 'RunFailedError';
    this.workflowRunId = workflowRunId;
    this.errors = errors;
  }
}

function failureMessage(errors: readonly TaskFailure[]): string {
  const [first, ...rest] = errors;
  if (first === undefined) return 'the run failed';
  return rest.length === 0
    ? first.message
    : `${first.message} (and ${rest.length} more failed: ${rest.map((error) => error.taskName).join(', ')})`;
}

/** A run was cancelled: by a person, a concurrency rule, or because it waited longer than its schedule timeout. */
export class RunCancelledError extends HatchetError {
  readonly workflowRunId: string;
  /** Names of the tasks that were cancelled. */
  readonly tasks: readonly string[];

  constructor(workflowRunId: string, tasks: readonly string[]) {
    // Why is not on the wire. The usual surprise is a worker that does not run.
    super('RUN_CANCELLED', `the run ${workflowRunId} was cancelled`, {
      remedy: `See why with \`npx hatchet runs events ${workflowRunId}\`; where no worker takes a task, its schedule timeout cancels it`,
    });
    this.name = 'RunCancelledError';
    this.workflowRunId = workflowRunId;
    this.tasks = tasks;
  }
}

/** The reason of a cancelled task's `ctx.abortController.signal`, and what `ctx.rethrowIfCancelled` throws again. */
export class TaskCancelledError extends HatchetError {
  constructor(message = 'the task was cancelled') {
    super('TASK_CANCELLED', message);
    // Libraries that take a signal recognise cancellation by this name.
    this.name = 'AbortError';
  }
}

/** A run with the same idempotency key exists. */
export class IdempotencyCollisionError extends HatchetError {
  readonly existingRunExternalId: string;
  /** The id that the run would have had, where the engine says it. */
  readonly collidingRunExternalId: string | undefined;

  constructor(existingRunExternalId: string, collidingRunExternalId?: string) {
    super('IDEMPOTENCY_COLLISION', `a run with the same idempotency key exists: ${existingRunExternalId}`, {
      remedy: 'Wait for that one (`hatchet.runRef(id).result()`), or trigger again once it gives the key back',
    });
    this.name = 'IdempotencyCollisionError';
    this.existingRunExternalId = existingRunExternalId;
    this.collidingRunExternalId = collidingRunExternalId;
  }
}

/** Some runs of a bulk trigger have the idempotency key of a run that exists; the others were created. */
export class BulkTriggerIdempotencyCollisionError extends HatchetError {
  readonly successfulWorkflowRunExternalIds: readonly string[];
  readonly collisions: readonly IdempotencyCollisionError[];

  constructor(successful: readonly string[], collisions: readonly IdempotencyCollisionError[]) {
    super(
      'IDEMPOTENCY_COLLISION',
      `${collisions.length} of the runs have the idempotency key of a run that exists; ${successful.length} were created`,
    );
    this.name = 'BulkTriggerIdempotencyCollisionError';
    this.successfulWorkflowRunExternalIds = successful;
    this.collisions = collisions;
  }
}

/** In a test runner's sandbox the errors of Node's own modules are of another class than the sandbox's `Error`. */
export function isError(value: unknown): value is Error {
  return safely(
    () =>
      value instanceof Error ||
      types.isNativeError(value) ||
      Object.prototype.toString.call(value) === '[object DOMException]',
    false,
  );
}

/** Whatever was thrown, as an Error: an error is given as it is, so nothing is known of the types of its properties. */
export function asError(thrown: unknown): Error {
  if (isError(thrown)) return thrown;
  return new Error(typeof thrown === 'string' ? thrown : `a value that is not an Error was thrown: ${textOf(thrown)}`);
}
