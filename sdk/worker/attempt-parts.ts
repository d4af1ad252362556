import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import type { LogLine } from '../context/context-host.ts';
import type { ForgottenCalls } from '../run/forgotten-calls.ts';
import type { ParentRun } from '../run/parent-run.ts';
import type { Attempt } from './attempts.ts';
import type { AttemptLog } from './logs/attempt-log.ts';
import { logForgottenCalls } from './logs/log-forgotten-calls.ts';
import type { LogSender } from './logs/log-sender.ts';

/** One attempt, and what it has of its worker. There is one for each of many that end at once: what its code never asks for is not made. */
export class AttemptParts {
  readonly action: AssignedAction;
  readonly attempt: Attempt;
  readonly #logs: LogSender;
  #log: AttemptLog | undefined;
  #forgotten: ForgottenCalls | undefined;
  #isOver = false;

  constructor(action: AssignedAction, attempt: Attempt, logs: LogSender) {
    this.action = action;
    this.attempt = attempt;
    this.#logs = logs;
  }

  get log(): AttemptLog {
    return (this.#log ??= this.#logs.open(this.action));
  }

  /** Whether the engine is still to be told of lines. */
  get hasLines(): boolean {
    return this.#log?.isEmpty === false;
  }

  /** What its code begins, fails, and is never come to, goes to its log. */
  get forgotten(): ForgottenCalls {
    if (this.#forgotten === undefined) {
      this.#forgotten = logForgottenCalls((line: LogLine) => void this.log.write(line));
      if (this.#isOver) this.#forgotten.end();
    }
    return this.#forgotten;
  }

  /** Its code has ended. */
  end(): void {
    this.#isOver = true;
    this.#forgotten?.end();
  }
}

/** A running attempt, as the runs that it starts see it. */
export class RunningAttempt implements ParentRun {
  readonly workerId: string | undefined;
  nextChildIndex = 0;
  readonly #parts: AttemptParts;

  constructor(parts: AttemptParts, workerId: string | undefined) {
    this.#parts = parts;
    this.workerId = workerId;
  }

  get workflowRunId(): string {
    return this.#parts.action.workflowRunId;
  }

  get taskRunExternalId(): string {
    return this.#parts.action.taskRunExternalId;
  }

  get signal(): AbortSignal {
    return this.#parts.attempt.abortController.signal;
  }

  get forgotten(): ForgottenCalls {
    return this.#parts.forgotten;
  }
}
