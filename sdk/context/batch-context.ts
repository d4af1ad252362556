import type { AssignedAction } from '../../proto/gen/hatchet/contract/dispatcher.ts';
import { HatchetError, TaskCancelledError } from '../errors.ts';
import { beginsAsItsTask } from '../run/not-awaited-yet.ts';
import type { ActionPayload } from './action-payload.ts';
import type { ContextHost } from './context-host.ts';
import { Context } from './context.ts';

/**
 * What a batch task knows and can do. As a context it stands for the batch's first run: what it logs or streams goes
 * there. `member` has the context of each.
 */
export class BatchContext<Input = unknown> extends Context<Record<string, Input>> {
  /** Id of the batch. */
  readonly batchId: string;
  /** What the runs of the batch have in common; empty without a `groupKey`. */
  readonly batchKey: string;
  readonly #members: ReadonlyMap<string, Context<Input>>;
  readonly #host: ContextHost;
  readonly #begin = beginsAsItsTask();

  constructor(facts: {
    inputs: Record<string, Input>;
    action: AssignedAction;
    payload: ActionPayload;
    abortController: AbortController;
    host: ContextHost;
    members: ReadonlyMap<string, Context<Input>>;
  }) {
    super({ ...facts, input: facts.inputs, abort: facts });
    this.batchId = facts.action.batchId ?? '';
    this.batchKey = facts.action.batchKey ?? '';
    this.#members = facts.members;
    this.#host = facts.host;
  }

  /** Ids of the batch's runs, in the order in which they were queued. */
  get memberIds(): string[] {
    return [...this.#members.keys()];
  }

  /**
   * The context of one run: its parents' outputs, its metadata, its log.
   * @throws HatchetError UNKNOWN_RUN where the batch has no such run
   */
  member(id: string): Context<Input> {
    const member = this.#members.get(id);
    if (member === undefined)
      throw new HatchetError('UNKNOWN_RUN', `the batch ${this.batchId} has no run ${id}`, {
        remedy: 'Take the ids from the inputs',
      });
    return member;
  }

  /** Cancels all runs of the batch. */
  override cancel(): Promise<void> {
    return this.#begin(async () => {
      await this.#host.runner.cancelTasks(this.memberIds);
      this.abortController.abort(new TaskCancelledError('the batch cancelled its own runs'));
    });
  }
}
