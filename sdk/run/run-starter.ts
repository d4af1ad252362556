import { TriggerWorkflowRequest } from '../../proto/gen/hatchet/contract/v1/trigger.ts';
import { toHatchetError } from '../connection/call-error.ts';
import type { Connection } from '../connection/connection.ts';
import { callUnary, repeatForMs } from '../connection/repeat-calls.ts';
import { asError, HatchetError, isError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { produced, withCarried, type CarriedContext, type SpanStart } from '../tracing.ts';
import { relay } from '../isolation/in-runner/relay.ts';
import { checkInput } from './check-input.ts';
import { startBulk, startEach, startOne } from './start-runs.ts';
import { durableChildRef } from './durable-child-ref.ts';
import type { DurableSpawner } from './durable-child.ts';
import { currentParentRun, type ParentRun, takeChildIndices } from './parent-run.ts';
import type { ResultListener } from './result-listener.ts';
import type { RunManyItem, RunOptions } from './run-options.ts';
import { outputJson, type TaskOutcome } from './run-outcome.ts';
import { WorkflowRunRef, type RunRefActions } from './run-ref.ts';
import type { RunTarget } from './run-target.ts';
import { bulkBytes, bulks } from './bulks.ts';
import { chunks, inputJson, triggerRequest } from './trigger-request.ts';

/** Children a call of a durable task. */
const longestSpawn = 1000;

/** One run to start. */
export interface RunItem<Input, Output> {
  target: RunTarget<Input, Output> | string;
  input: Input;
  options?: RunOptions | undefined;
}

/** Starts runs and waits for them. Runs started inside a task become its children. */
export class RunStarter {
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #actions: RunRefActions;
  readonly #results: ResultListener;

  constructor(connection: Connection, results: ResultListener, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
    this.#results = results;
    this.#actions = {
      // The engine vouches for no type here: it is the definition's, as with any typed queue.
      result: async (runId, standaloneTaskName, signal) =>
        JSON.parse(outputJson(runId, await this.outcomes(runId, signal), standaloneTaskName)),
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
   * @param isAwaited its result is asked for next
   */
  async start<Input, Output>(item: RunItem<Input, Output>, isAwaited = false): Promise<WorkflowRunRef<Output>> {
    const { tracing } = this.#connection.config;
    return await produced(
      tracing,
      () => runSpan(item),
      (carried) => this.#start(item, isAwaited, carried),
    );
  }

  async #start<Input, Output>(
    item: RunItem<Input, Output>,
    isAwaited: boolean,
    carried: CarriedContext,
  ): Promise<WorkflowRunRef<Output>> {
    const parent = currentParentRun();
    const request = await this.#request(item, { parent, childIndex: takeChildIndices(parent, 1), carried });
    if (parent?.durable !== undefined) {
      const [ref] = await this.#spawn(parent.durable, [{ item, request }], parent);
      if (ref !== undefined) return ref;
    }
    return this.#refOf(await startOne(this.#connection, request, { isAwaited }), item, parent);
  }

  /** Starts many runs, in calls of at most 200, or 2,000 at a time by the link; the references come in the order of the items. @throws as start */
  async startMany<Input, Output>(items: readonly RunItem<Input, Output>[]): Promise<WorkflowRunRef<Output>[]> {
    const { tracing } = this.#connection.config;
    return await produced(
      tracing,
      () => runsSpan(items),
      (carried) => this.#startMany(items, carried),
    );
  }

  async #startMany<Input, Output>(
    items: readonly RunItem<Input, Output>[],
    carried: CarriedContext,
  ): Promise<WorkflowRunRef<Output>[]> {
    const { requests, parent } = await this.#requests(items, carried, async (request) => await request);
    if (parent?.durable !== undefined) return await this.#spawn(parent.durable, requests, parent);
    const refs: WorkflowRunRef<Output>[] = [];
    for (const group of bulks(this.#connection, requests))
      refs.push(
        ...this.#refsOf<Input, Output>(
          group,
          await startBulk(
            this.#connection,
            group.map(({ request }) => request),
          ),
          parent,
        ),
      );
    return refs;
  }

  /** The same, with errors in place of the runs whose input is refused, or whose idempotency key another run has. */
  async #startEach<Input, Output>(
    items: readonly RunItem<Input, Output>[],
    carried: CarriedContext,
  ): Promise<(WorkflowRunRef<Output> | Error)[]> {
    const { requests, parent } = await this.#requests(items, carried, async (request) => await request.catch(asError));
    const good = requests.flatMap(({ item, request }) => (isError(request) ? [] : [{ item, request }]));
    const started: (WorkflowRunRef<Output> | Error)[] =
      parent?.durable === undefined ? [] : await this.#spawn(parent.durable, good, parent);
    if (parent?.durable === undefined)
      for (const group of bulks(this.#connection, good))
        started.push(
          ...this.#refsOf(
            group,
            await startEach(
              this.#connection,
              group.map(({ request }) => request),
            ),
            parent,
          ),
        );
    const inOrder = started.values();
    return requests.flatMap(({ request }) => (isError(request) ? request : (inOrder.next().value ?? [])));
  }

  /** Starts a run and waits for its output. @throws as start and WorkflowRunRef.result */
  async run<Input, Output>(item: RunItem<Input, Output>): Promise<Output> {
    const ref = await this.start(item, true);
    return await ref.result();
  }

  /** Starts many runs and waits for all. A failed one rejects, or is an Error in the list with `returnExceptions`. */
  async runMany<Input, Output>(
    items: readonly (RunItem<Input, Output> & { options?: { returnExceptions?: false | undefined } | undefined })[],
  ): Promise<Output[]>;
  async runMany<Input, Output>(items: readonly RunItem<Input, Output>[]): Promise<(Output | Error)[]>;
  async runMany<Input, Output>(items: readonly RunItem<Input, Output>[]): Promise<(Output | Error)[]> {
    if (!items.some((item) => item.options?.returnExceptions === true))
      return await Promise.all((await this.startMany(items)).map((ref) => ref.result()));
    const { tracing } = this.#connection.config;
    const refs = await produced(
      tracing,
      () => runsSpan(items),
      (carried) => this.#startEach(items, carried),
    );
    return await Promise.all(refs.map(async (ref) => (isError(ref) ? ref : await ref.result().catch(asError))));
  }

  /** How the tasks of a run have ended, once it has. @throws as ResultListener.wait */
  async outcomes(runId: string, signal?: AbortSignal): Promise<TaskOutcome[]> {
    return await (relay()?.outcomes(runId) ?? this.#results.wait(runId, signal));
  }

  /** @returns the ids of the tasks that were cancelled */
  async cancelTasks(externalIds: string[]): Promise<string[]> {
    const apart = relay();
    if (apart !== undefined) return await apart.cancelTasks(externalIds);
    const { admin } = this.#connection;
    try {
      const { cancelledTasks } = await callUnary(
        this.#connection,
        admin.cancelTasks.bind(admin),
        { externalIds },
        { repeatForMs },
      );
      return cancelledTasks;
    } catch (error) {
      throw toHatchetError(error, 'cancel the run', 'UNKNOWN_RUN');
    }
  }

  /** @returns the ids of the tasks that run again */
  async replayTasks(externalIds: string[]): Promise<string[]> {
    const apart = relay();
    if (apart !== undefined) return await apart.replayTasks(externalIds);
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
  async #spawn<Input, Output>(
    durable: DurableSpawner,
    requests: readonly { item: RunItem<Input, Output>; request: TriggerWorkflowRequest }[],
    parent: ParentRun,
  ): Promise<WorkflowRunRef<Output>[]> {
    const groups = chunks(
      requests,
      longestSpawn,
      bulkBytes,
      ({ request }) => TriggerWorkflowRequest.encode(request).finish().length,
    );
    const children = await Promise.all(groups.map((group) => durable.spawn(group.map(({ request }) => request))));
    return children.flat().flatMap((child, index) => {
      const item = requests[index]?.item;
      return item === undefined
        ? []
        : [
            durableChildRef<Output>(child, item.target, {
              actions: this.#actions,
              parentWorkflowRunId: parent.workflowRunId,
            }),
          ];
    });
  }

  /** @param settle of an item whose request cannot be made */
  async #requests<Input, Output, Made>(
    items: readonly RunItem<Input, Output>[],
    carried: CarriedContext,
    settle: (request: Promise<TriggerWorkflowRequest>) => Promise<Made>,
  ): Promise<{ requests: { item: RunItem<Input, Output>; request: Made }[]; parent: ParentRun | undefined }> {
    const parent = currentParentRun();
    const first = takeChildIndices(parent, items.length);
    for (const { target } of items.slice(0, 1)) checkParent(parent, target);
    const requests = await Promise.all(
      items.map(async (item, index) => ({
        item,
        request: await settle(
          this.#request(item, { parent, childIndex: first === undefined ? undefined : first + index, carried }),
        ),
      })),
    );
    return { requests, parent };
  }

  async #request<Input, Output>(
    item: RunItem<Input, Output>,
    {
      parent,
      childIndex,
      carried,
    }: { parent: ParentRun | undefined; childIndex: number | undefined; carried: CarriedContext },
  ): Promise<TriggerWorkflowRequest> {
    const { target, input, options = {} } = item;
    const name = typeof target === 'string' ? target : target.name;
    checkParent(parent, target);
    if (parent === undefined && (options.childKey !== undefined || options.sticky === true)) {
      await this.#logger.warn(`childKey and sticky of ${name} are left out: they are for runs that a task starts`);
    }
    const json = inputJson(name, input);
    if (typeof target !== 'string' && target.inputSchema !== undefined)
      await checkInput(target.inputSchema, { input, json, what: `the input of ${name}` });
    return triggerRequest({
      name,
      namespace: this.#connection.config.namespace,
      input: json,
      options: { ...options, additionalMetadata: withCarried(options.additionalMetadata, carried) },
      parent,
      childIndex,
    });
  }

  #refsOf<Input, Output, Failed extends Error = never>(
    group: readonly { item: RunItem<Input, Output> }[],
    started: readonly (string | Failed)[],
    parent: ParentRun | undefined,
  ): (WorkflowRunRef<Output> | Failed)[] {
    return group.flatMap(({ item }, index) => {
      const one = started[index];
      if (one === undefined) return [];
      return typeof one === 'string' ? this.#refOf(one, item, parent) : one;
    });
  }

  #refOf<Input, Output>(
    runId: string,
    { target }: RunItem<Input, Output>,
    parent: ParentRun | undefined,
  ): WorkflowRunRef<Output> {
    return new WorkflowRunRef<Output>(runId, this.#actions, {
      standaloneTaskName: typeof target === 'string' ? undefined : target.standaloneTaskName,
      parentWorkflowRunId: parent?.workflowRunId,
      signal: parent?.signal,
    });
  }
}

function workflowOf<Input, Output>({ target }: RunItem<Input, Output>): string {
  return typeof target === 'string' ? target : target.name;
}

function runSpan<Input, Output>(item: RunItem<Input, Output>): SpanStart {
  const { options, input } = item;
  return {
    name: 'hatchet.run_workflow',
    facts: { workflow_name: workflowOf(item), child_key: options?.childKey, priority: options?.priority },
    payload: input,
  };
}

/** One for all of them. */
function runsSpan<Input, Output>(items: readonly RunItem<Input, Output>[]): SpanStart {
  const names = [...new Set(items.map(workflowOf))];
  return { name: 'hatchet.run_workflows', facts: { workflow_name: names.slice(0, 10).join(','), runs: items.length } };
}

/** @throws the reason of a task that was cancelled; HatchetError NOT_SUPPORTED */
function checkParent(
  parent: ParentRun | undefined,
  target: RunTarget<never, unknown> | RunTarget<unknown, unknown> | string,
): void {
  const name = typeof target === 'string' ? target : target.name;
  // A durable task that has left its worker is told nothing any more, not even this.
  if (parent?.durable === undefined) parent?.signal.throwIfAborted();
  if (parent?.inMemo === true)
    throw new HatchetError(
      'NOT_SUPPORTED',
      `${name} cannot be started inside a memo: when the task is replayed, the memo's function does not run again`,
      { remedy: 'Start it outside of the memo; a child is recorded by itself' },
    );
}

/** The items of a `runMany` call as the runner takes them. */
export function runItems<Input, Output>(
  target: RunTarget<Input, Output>,
  runs: readonly RunManyItem<Input>[],
): RunItem<Input, Output>[] {
  return runs.map(({ input, opts }) => ({ target, input, options: opts }));
}
