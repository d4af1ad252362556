import { uuidv7 } from 'uuidv7';
import { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/unary.ts';
import { HatchetError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { validate } from '../schema/validate.ts';
import { collisionOf } from './collision.ts';
import { durableChildRef } from './durable-child-ref.ts';
import type { DurableSpawner } from './durable-child.ts';
import { currentParentRun, type ParentRun } from './parent-run.ts';
import type { ResultListener } from './result-listener.ts';
import type { RunManyItem, RunOptions } from './run-options.ts';
import { outputJson } from './run-outcome.ts';
import { WorkflowRunRef, type RunRefActions } from './run-ref.ts';
import type { RunTarget } from './run-target.ts';
import { chunks, triggerRequest } from './trigger-request.ts';

/** Where a run's own id travels: with it a repeated trigger starts nothing new. A Hatchet cluster ignores it. */
const runIdHeader = 'hatchet-run-id';

/** Runs a call. The contract allows 1,000; 200 ids stay below the 8 KiB of headers that proxies usually allow. */
const longestBulk = 200;

/** Children a call of a durable task. */
const longestSpawn = 1000;

/** Bytes a bulk call: servers of the contract take 4 MiB. */
const bulkBytes = 3.5 * 1024 * 1024;

/** One run to start. */
export interface RunItem<Input, Output> {
  target: RunTarget<Input, Output> | string;
  input: Input;
  options?: RunOptions | undefined;
}

/** Starts runs and waits for them. Runs started inside a task become its children. */
export class Runner {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #actions: RunRefActions;

  constructor(connection: Connection, results: ResultListener, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    this.#actions = {
      // The engine vouches for no type here: it is the definition's, as with any typed queue.
      result: async (runId, standaloneTaskName, signal) => JSON.parse(outputJson(runId, await results.wait(runId, signal), standaloneTaskName)),
      cancel: async (runId) => void (await this.cancelTasks([runId])),
      replay: async (runId) => void (await this.replayTasks([runId])),
    };
  }

  /** A reference to a run that exists. */
  ref<Output>(runId: string, standaloneTaskName?: string): WorkflowRunRef<Output> {
    return new WorkflowRunRef<Output>(runId, this.#actions, { standaloneTaskName });
  }

  /**
   * Starts one run.
   * @throws SchemaError for an input that its schema refuses; HatchetError UNKNOWN_WORKFLOW, PAYLOAD_TOO_LARGE,
   * INVALID_ARGUMENT, UNAUTHENTICATED, UNREACHABLE after 30 s; IdempotencyCollisionError.
   */
  async start<Input, Output>(item: RunItem<Input, Output>): Promise<WorkflowRunRef<Output>> {
    const parent = currentParentRun();
    const request = await this.#request(item, parent, takeChildIndices(parent, 1));
    if (parent?.durable !== undefined) {
      const [ref] = await this.#spawn(parent.durable, [{ item, request }], parent);
      if (ref !== undefined) return ref;
    }
    const { workflows } = this.#connection;
    try {
      const { workflowRunId } = await callUnary(this.#connection, workflows.triggerWorkflow.bind(workflows), request, { repeatForMs, headers: { [runIdHeader]: uuidv7() } });
      return this.#refOf(workflowRunId, item, parent);
    } catch (error) {
      throw collisionOf(error) ?? toHatchetError(error, `run ${request.name}`, 'UNKNOWN_WORKFLOW');
    }
  }

  /** Starts many runs, in calls of at most 200; the references come in the order of the items. @throws as start */
  async startMany<Input, Output>(items: readonly RunItem<Input, Output>[]): Promise<WorkflowRunRef<Output>[]> {
    const parent = currentParentRun();
    const first = takeChildIndices(parent, items.length);
    const requests = await Promise.all(items.map(async (item, index) => ({ item, request: await this.#request(item, parent, first === undefined ? undefined : first + index) })));
    if (parent?.durable !== undefined) return await this.#spawn(parent.durable, requests, parent);
    const refs: WorkflowRunRef<Output>[] = [];
    for (const group of chunks(requests, longestBulk, bulkBytes, ({ request }) => TriggerWorkflowRequest.encode(request).finish().length)) {
      const ids = await this.#startGroup(group.map(({ request }) => request));
      for (const [index, { item }] of group.entries()) {
        const id = ids[index];
        if (id !== undefined) refs.push(this.#refOf(id, item, parent));
      }
    }
    return refs;
  }

  /** Starts a run and waits for its output. @throws as start and WorkflowRunRef.result */
  async run<Input, Output>(item: RunItem<Input, Output>): Promise<Output> {
    const ref = await this.start(item);
    return await ref.result();
  }

  /** Starts many runs and waits for all. A failed one rejects, or is an Error in the list with `returnExceptions`. */
  async runMany<Input, Output>(items: readonly RunItem<Input, Output>[]): Promise<Output[]> {
    const refs = await this.startMany(items);
    return await settleAll(refs, items.some((item) => item.options?.returnExceptions === true));
  }

  /** @returns the ids of the tasks that were cancelled */
  async cancelTasks(externalIds: string[]): Promise<string[]> {
    const { admin } = this.#connection;
    try {
      const { cancelledTasks } = await callUnary(this.#connection, admin.cancelTasks.bind(admin), { externalIds }, { repeatForMs });
      return cancelledTasks;
    } catch (error) {
      throw toHatchetError(error, 'cancel the run', 'UNKNOWN_RUN');
    }
  }

  /** @returns the ids of the tasks that run again */
  async replayTasks(externalIds: string[]): Promise<string[]> {
    const { admin } = this.#connection;
    try {
      // Not repeated after a failure: a replay that was carried out would be carried out again.
      const { replayedTasks } = await callUnary(this.#connection, admin.replayTasks.bind(admin), { externalIds });
      return replayedTasks;
    } catch (error) {
      throw toHatchetError(error, 'replay the run', 'UNKNOWN_RUN');
    }
  }

  /** Through the log of a durable task. All calls are made at once, so that their places in it follow each other. */
  async #spawn<Input, Output>(durable: DurableSpawner, requests: readonly { item: RunItem<Input, Output>; request: TriggerWorkflowRequest }[], parent: ParentRun): Promise<WorkflowRunRef<Output>[]> {
    const groups = chunks(requests, longestSpawn, bulkBytes, ({ request }) => TriggerWorkflowRequest.encode(request).finish().length);
    const children = await Promise.all(groups.map((group) => durable.spawn(group.map(({ request }) => request))));
    return children.flat().flatMap((child, index) => {
      const item = requests[index]?.item;
      return item === undefined ? [] : [durableChildRef<Output>(child, item.target, { actions: this.#actions, parentWorkflowRunId: parent.workflowRunId })];
    });
  }

  async #startGroup(requests: TriggerWorkflowRequest[]): Promise<string[]> {
    const { workflows } = this.#connection;
    const headers = { [runIdHeader]: requests.map(() => uuidv7()).join(',') };
    try {
      const { workflowRunIds } = await callUnary(this.#connection, workflows.bulkTriggerWorkflow.bind(workflows), { workflows: requests }, { repeatForMs, headers, timeoutMs: 60_000 });
      return workflowRunIds;
    } catch (error) {
      throw collisionOf(error) ?? toHatchetError(error, `run ${requests[0]?.name ?? 'nothing'} in bulk`, 'UNKNOWN_WORKFLOW');
    }
  }

  async #request<Input, Output>(item: RunItem<Input, Output>, parent: ParentRun | undefined, childIndex: number | undefined): Promise<TriggerWorkflowRequest> {
    const { target, input, options = {} } = item;
    const name = typeof target === 'string' ? target : target.name;
    // A durable task that has left its worker is told nothing any more, not even this.
    if (parent?.durable === undefined) parent?.signal.throwIfAborted();
    if (parent?.inMemo === true) throw new HatchetError('NOT_SUPPORTED', `${name} cannot be started inside a memo: when the task is replayed, the memo's function does not run again`, { remedy: 'Start it outside of the memo; a child is recorded by itself' });
    if (parent === undefined && (options.childKey !== undefined || options.sticky === true)) {
      await this.#logger.warn(`childKey and sticky of ${name} are left out: they are for runs that a task starts`);
    }
    if (typeof target !== 'string' && target.inputSchema !== undefined) await validate(target.inputSchema, input, 'INVALID_INPUT', `the input of ${name}`);
    return triggerRequest({ name, namespace: this.#connection.config.namespace, input, options, parent, childIndex });
  }

  #refOf<Input, Output>(runId: string, { target }: RunItem<Input, Output>, parent: ParentRun | undefined): WorkflowRunRef<Output> {
    return new WorkflowRunRef<Output>(runId, this.#actions, {
      standaloneTaskName: typeof target === 'string' ? undefined : target.standaloneTaskName,
      parentWorkflowRunId: parent?.workflowRunId,
      signal: parent?.signal,
    });
  }
}

/** The items of a `runMany` call as the runner takes them. */
export function runItems<Input, Output>(target: RunTarget<Input, Output>, runs: readonly RunManyItem<Input>[]): RunItem<Input, Output>[] {
  return runs.map(({ input, opts }) => ({ target, input, options: opts }));
}

/** Indices are taken before anything is awaited, so that they follow the order of the calls in the task's code. */
function takeChildIndices(parent: ParentRun | undefined, count: number): number | undefined {
  if (parent === undefined) return undefined;
  const first = parent.nextChildIndex;
  parent.nextChildIndex += count;
  return first;
}

async function settleAll<Output>(refs: readonly WorkflowRunRef<Output>[], returnExceptions: boolean): Promise<Output[]> {
  if (!returnExceptions) return await Promise.all(refs.map((ref) => ref.result()));
  const settled = await Promise.allSettled(refs.map((ref) => ref.result()));
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason));
}
