import { childFingerprint, waitFingerprint } from '../../model/durable/fingerprint.ts';
import type { Commands, Parsed } from '../../edge/parsed-commands.ts';
import { payload as checkedPayload } from '../../edge/parse/checked-json.ts';
import { atMost } from '../../edge/parse/list.ts';
import { largestInteger, wholeNumber } from '../../edge/parse/number.ts';
import { shownText } from '../../edge/parse/text.ts';
import type { DurableLinks, DurableMessage } from '../../dispatch/durable-links.ts';
import { HatchetError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { EntryKind } from '../../model/durable/durable.ts';
import { maxBulkTasks, maxBulkTriggers } from '../../model/limits.ts';
import { markChecked, type Checked } from '../../model/checked.ts';
import { splitError } from '../../model/payload/split-error.ts';
import { RunStatus } from '../../model/task/status.ts';
import type { TriggerRun } from '../../model/task/trigger-run.ts';
import { parseUuid } from '../../model/ids/uuid.ts';
import type { NodeResult } from '../../monitor/durable/durable-results.ts';
import type { NodeResults } from '../../monitor/durable/node-results.ts';
import type { AskedChild, DurableAsk, DurableAskReply, DurableSender } from '../../model/durable/durable-operation.ts';
import { prepareRun } from '../../shard/prepare/prepare-run.ts';
import { childName } from '../../shard/prepare/child-ids.ts';
import {
  DurableTaskErrorType,
  type DurableEventLogEntryRef,
  type DurableTaskRequest,
  type DurableTaskResponse,
  type DurableTaskTriggerRunsRequest,
  type DurableTaskWorkerStatusRequest,
} from '../../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import { readDurableConditions } from './durable-conditions.ts';
import { DurableRequests, type AskKind, type OpenRequest } from './durable-requests.ts';
import { triggerRequest } from '../requests/trigger-request.ts';
import { utf8 } from '../utf8.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

export interface DurableStreamDeps {
  owner: Commands;
  links: DurableLinks<DurableAskReply>;
  results: NodeResults;
  log: Logger;
}

export type DurableResponse = NonNullable<DurableTaskResponse['message']>;
type Response = DurableResponse;

/** Longest text of a memo's key, an eviction's reason or a wait's label. */
const longestText = 1000;

/** What one message of a worker says that it waits for. */
const mostWaits = 1_000_000;
const invocations = { min: 0, max: largestInteger };
/** Where a node of a log is. */
const places = { min: 0, max: largestInteger };

/** Of this process, numbered. */
let streams = 0;

const noWait = (): void => undefined;

/** One worker's durable stream, over whatever carries it: reads its messages into commands, and writes what its tasks are told. */
export class DurableStream {
  readonly #deps: DurableStreamDeps;
  readonly #tenantId: TenantId;
  readonly #write: (response: Response) => void;
  readonly #fail: (error: unknown) => void;
  readonly #strict: boolean;
  readonly #number = ++streams;
  readonly #requests: DurableRequests;
  #workerId: Checked<string> | undefined;
  #detach: () => void = () => undefined;

  constructor(
    deps: DurableStreamDeps,
    options: {
      tenantId: TenantId;
      strict: boolean;
      write: (response: Response) => void;
      fail: (error: unknown) => void;
    },
  ) {
    this.#deps = deps;
    this.#tenantId = options.tenantId;
    this.#write = options.write;
    this.#fail = options.fail;
    this.#requests = new DurableRequests(options.fail);
    this.#strict = options.strict;
  }

  end(): void {
    this.#detach();
  }

  /** @param settled called once it is carried out or refused, whatever becomes of the stream */
  handle({ message }: DurableTaskRequest, settled: () => void = noWait): void {
    if (!this.#carryOut(message, settled)) settled();
  }

  /** @returns whether `settled` is called later; where nothing of it is stored, it is not */
  #carryOut(message: DurableTaskRequest['message'], settled: () => void): boolean {
    switch (message?.$case) {
      case 'registerWorker':
        this.#register(message.value.workerId);
        return false;
      case 'waitFor': {
        const { waitForConditions, label } = message.value;
        return this.#ask(message.value, { kind: 'waitFor', settled }, () => {
          const conditions = readDurableConditions(waitForConditions);
          return markChecked({
            kind: 'wait' as const,
            fingerprint: waitFingerprint(conditions),
            asked: {
              kind: 'wait' as const,
              conditions,
              label: label === undefined ? null : shownText(label, longestText),
            },
          });
        });
      }
      case 'memo': {
        const { key, payload } = message.value;
        const ask = (value: Checked<string> | null): Checked<DurableAsk> =>
          markChecked({ kind: 'memo' as const, key: memoKey(key), payload: value });
        return this.#ask(message.value, { kind: 'memo', settled }, () => {
          if (payload === undefined || payload.length === 0) return ask(null);
          const value = this.#memoPayload(payload);
          return value instanceof Promise ? value.then(ask) : ask(value);
        });
      }
      case 'triggerRuns':
        return this.#ask(message.value, { kind: 'triggerRuns', settled }, (sender) =>
          this.#children(sender, message.value),
        );
      case 'completeMemo': {
        const { ref, payload } = message.value;
        const sender = this.#sender({
          durableTaskExternalId: ref?.durableTaskExternalId ?? '',
          invocationCount: ref?.invocationCount ?? 0,
        });
        if (sender === undefined || ref === undefined) return false;
        const place = {
          branch: wholeNumber(ref.branchId, 'the branch', places),
          node: wholeNumber(ref.nodeId, 'the node', places),
        };
        this.#requests
          .enter(
            sender.taskId,
            () => this.#memoPayload(payload),
            (value) => this.#deps.owner.submit({ kind: 'durableMemo', ...sender, ...place, payload: value }),
          )
          .then(settled, (error: unknown) => {
            this.#refuse(sender, error, place);
            settled();
          });
        return true;
      }
      case 'evictInvocation': {
        const sender = this.#sender(message.value);
        if (sender === undefined) return false;
        const reason = shownText(message.value.reason ?? '', longestText);
        // What the task says next waits until it is known whether it is let go of.
        const evict = (): Promise<unknown> => this.#deps.owner.submit({ kind: 'durableEvict', ...sender, reason });
        const before = this.#requests.entered(sender.taskId);
        const done = before === undefined ? evict() : before.then(evict);
        this.#requests.holdUp(sender.taskId, done);
        this.#requests.leave(sender.taskId, done, () =>
          this.#write({
            $case: 'evictionAck',
            value: { invocationCount: sender.invocation, durableTaskExternalId: sender.taskId },
          }),
        );
        done.then(settled, settled);
        return true;
      }
      case 'workerStatus':
        this.#status(message.value);
        return false;
      case undefined:
        return false;
    }
  }

  #register(given: string): void {
    const workerId = parseUuid(given);
    if (
      workerId === undefined ||
      this.#deps.owner.stateOf(this.#tenantId)?.workersById.get(workerId)?.tenantId !== this.#tenantId
    ) {
      return this.#fail(
        new HatchetError('UNKNOWN_WORKER', `no worker ${JSON.stringify(given)}`, {
          remedy: 'Register the worker again.',
        }),
      );
    }
    this.#detach();
    this.#workerId = workerId;
    this.#detach = this.#deps.links.attach(workerId, {
      send: (event) => this.#tell(event),
      answer: (stream, request, reply) => this.#reply(stream, request, reply),
      announce: () => this.#announce(),
      leave: () =>
        this.#fail(
          new HatchetError('NOT_OWNER', 'another engine serves this worker', {
            remedy: 'Connect again: to an engine that is ready.',
          }),
        ),
    });
    this.#announce();
    this.#write({ $case: 'registerWorker', value: { workerId: given } });
  }

  /** Ahead of whatever the worker says next: the mailbox keeps the order. */
  #announce(): void {
    const workerId = this.#workerId;
    if (workerId === undefined) return;
    this.#deps.owner
      .submit({
        kind: 'durableAttach',
        tenantId: this.#tenantId,
        workerId,
        stream: markChecked(this.#number),
        strict: this.#strict,
      })
      .catch((error: unknown) => this.#fail(error));
  }

  /** Undefined before the worker has named itself, and for what is no task's id: nobody could be answered. */
  #sender(request: { durableTaskExternalId: string; invocationCount: number }): Parsed<DurableSender> | undefined {
    const taskId = parseUuid(request.durableTaskExternalId);
    if (taskId === undefined || this.#workerId === undefined) return undefined;
    return {
      tenantId: this.#tenantId,
      workerId: this.#workerId,
      taskId,
      invocation: wholeNumber(request.invocationCount, 'the invocation', invocations),
    };
  }

  #ask(
    wire: { durableTaskExternalId: string; invocationCount: number },
    { kind, settled }: { kind: AskKind; settled: () => void },
    prepare: (sender: Parsed<DurableSender>) => Checked<DurableAsk> | Promise<Checked<DurableAsk>>,
  ): boolean {
    const sender = this.#sender(wire);
    if (sender === undefined) return false;
    const request = this.#requests.open(sender, kind);
    const committed = this.#requests.enter(
      sender.taskId,
      () => prepare(sender),
      (ask) =>
        this.#deps.owner.submit({
          kind: 'durableAsk',
          ...sender,
          stream: markChecked(this.#number),
          request: markChecked(request),
          ask,
        }),
    );
    committed.then(settled, (error: unknown) => {
      this.#askFailed(request, error);
      settled();
    });
    return true;
  }

  #askFailed(request: number, error: unknown): void {
    const open = this.#requests.find(request);
    if (open === undefined) return;
    if (!isRefusal(error)) return this.#fail(error);
    this.#requests.refuseInTurn(request, () => this.#refuse(open.sender, error));
  }

  /** In the order of the plans, results among them. */
  #reply(stream: number, request: number, reply: DurableAskReply): void {
    const open = stream === this.#number ? this.#requests.find(request) : undefined;
    if (open === undefined) return;
    const { sender } = open;
    this.#requests.leave(
      sender.taskId,
      this.#answer(open, reply),
      (response) => this.#write(response),
      (error) => this.#refuse(sender, error),
    );
    this.#requests.settle(request);
  }

  /** The request was refused whole, and changed nothing. */
  #refuse(sender: Parsed<DurableSender>, error: unknown, place = { branch: 0, node: 0 }): void {
    if (!isRefusal(error)) return this.#fail(error);
    const errorMessage =
      error.remedy === undefined ? error.message : `${error.message}. ${error.remedy.replace(/\.$/, '')}`;
    this.#write({
      $case: 'error',
      value: {
        ref: {
          durableTaskExternalId: sender.taskId,
          invocationCount: sender.invocation,
          branchId: BigInt(place.branch),
          nodeId: BigInt(place.node),
        },
        errorType: DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_UNSPECIFIED,
        errorMessage,
      },
    });
  }

  #children(
    sender: Parsed<DurableSender>,
    { triggerOpts }: DurableTaskTriggerRunsRequest,
  ): Checked<DurableAsk> | Promise<Checked<DurableAsk>> {
    if (triggerOpts.length === 0 || triggerOpts.length > maxBulkTriggers)
      throw new HatchetError('INVALID_ARGUMENT', `the call spawns ${triggerOpts.length} children`, {
        remedy: `Spawn 1 to ${maxBulkTriggers} a call.`,
      });
    const { owner } = this.#deps;
    const children: AskedChild[] = [];
    const preparing: Promise<void>[] = [];
    for (const [index, wire] of triggerOpts.entries()) {
      const request = { ...triggerRequest(wire, {}), parentTaskId: sender.taskId };
      const workflow = request.workflowName.toLowerCase();
      const add = (run: Checked<TriggerRun>): void => {
        const fingerprint = childFingerprint(workflow, run.input);
        children[index] = { run, workflow, name: childName(request) ?? '', fingerprint };
      };
      const run = prepareRun(owner, this.#tenantId, request);
      if (!(run instanceof Promise)) {
        add(run);
        continue;
      }
      const added = run.then(add);
      added.catch(noWait); // one that is refused at once is told instead
      preparing.push(added);
    }
    if (preparing.length === 0) return spawning(children);
    return Promise.all(preparing).then(() => spawning(children));
  }

  #answer({ sender, kind }: OpenRequest, reply: DurableAskReply): Response | Promise<Response> {
    const { taskId, invocation } = sender;
    const task = { durableTaskExternalId: taskId, invocationCount: invocation };
    if (reply.kind === 'stale') return { $case: 'serverEvict', value: { ...task, reason: reply.reason } };
    if (reply.kind === 'mismatch') {
      const ref = { ...task, branchId: BigInt(reply.branch), nodeId: BigInt(reply.node) };
      return {
        $case: 'error',
        value: {
          ref,
          errorType: DurableTaskErrorType.DURABLE_TASK_ERROR_TYPE_NONDETERMINISM,
          errorMessage: reply.message,
        },
      };
    }
    if (kind === 'triggerRuns' && reply.kind === 'ok') {
      return {
        $case: 'triggerRunsAck',
        value: {
          ...task,
          runEntries: reply.refs.map(({ branch, node, childRunId }) => ({
            nodeId: BigInt(node),
            branchId: BigInt(branch),
            workflowRunExternalId: childRunId ?? '',
          })),
        },
      };
    }
    // No place of the log: nothing of it is told of later.
    if (reply.kind === 'unpatched') return memoAck({ ...task, branchId: 0n, nodeId: 0n }, { output: 'false' });
    const [first] = reply.refs;
    const ref = { ...task, branchId: BigInt(first?.branch ?? 0), nodeId: BigInt(first?.node ?? 0) };
    if (kind === 'waitFor' || first === undefined) return { $case: 'waitForAck', value: { ref } };
    if (!first.done) return memoAck(ref, undefined);
    return this.#deps.results
      .read({ taskId, branch: first.branch, node: first.node })
      .then((known) => memoAck(ref, known));
  }

  #tell(event: DurableMessage): void {
    if (event.kind === 'result' && event.stream !== this.#number) return; // for the stream before, which is gone
    const task = { durableTaskExternalId: event.taskId, invocationCount: event.invocation };
    if (event.kind === 'dismissed')
      return this.#requests.leave(event.taskId, undefined, () =>
        this.#write({ $case: 'serverEvict', value: { ...task, reason: event.reason } }),
      );
    const ref = { ...task, branchId: BigInt(event.branch), nodeId: BigInt(event.node) };
    // A memo's value went with its answer.
    const known: NodeResult | Promise<NodeResult> =
      event.entry === EntryKind.Memo
        ? noResult
        : (event.told ?? this.#deps.results.read({ taskId: event.taskId, branch: event.branch, node: event.node }));
    this.#requests.leave(event.taskId, known, ({ output, error }) => {
      const isFailure = event.status !== RunStatus.Completed;
      const errorMessage = !isFailure
        ? undefined
        : event.status === RunStatus.Cancelled
          ? 'task was cancelled'
          : (splitError(error).message ?? 'child task failed');
      this.#write({
        $case: 'entryCompleted',
        value: { ref, payload: Buffer.from(isFailure ? '' : (output ?? 'null')), isFailure, errorMessage },
      });
    });
  }

  /** What cannot be stored is refused whole. */
  #memoPayload(payload: Uint8Array): Checked<string> | Promise<Checked<string>> {
    return checkedPayload(
      this.#deps.owner.payloads,
      this.#tenantId,
      payload.length === 0 ? 'null' : utf8(payload),
      "the memo's result",
    );
  }

  #status({ waitingEntries }: DurableTaskWorkerStatusRequest): void {
    const workerId = this.#workerId;
    if (workerId === undefined) return;
    const tasks = new Map<
      string,
      {
        taskId: Checked<string>;
        invocation: Checked<number>;
        nodes: { branch: Checked<number>; node: Checked<number> }[];
      }
    >();
    for (const entry of atMost(waitingEntries, 'the waits of a worker', mostWaits)) {
      const taskId = parseUuid(entry.durableTaskExternalId);
      if (taskId === undefined) continue;
      const invocation = wholeNumber(entry.invocationCount, 'the invocation', invocations);
      const key = `${taskId} ${invocation}`;
      const task = tasks.get(key) ?? { taskId, invocation, nodes: [] };
      tasks.set(key, task);
      task.nodes.push({
        branch: wholeNumber(entry.branchId, 'the branch', places),
        node: wholeNumber(entry.nodeId, 'the node', places),
      });
    }
    if (tasks.size === 0) return;
    // Behind what these tasks asked for before: it speaks of nodes that those made. And before an eviction that comes after
    // it: what the invocation waited for last decides whether its task goes on at once.
    const command = { kind: 'durableStatus' as const, tenantId: this.#tenantId, workerId, tasks: [...tasks.values()] };
    const submit = (): void => {
      this.#deps.owner
        .submit(command)
        .catch((error: unknown) =>
          this.#deps.log.debug({ err: error }, "a worker's status was not taken; the next one comes in a second"),
        );
    };
    const before = [...tasks.values()].flatMap(({ taskId }) => this.#requests.entered(taskId) ?? []);
    if (before.length === 0) return submit();
    const submitted = Promise.all(before).then(submit);
    for (const { taskId } of tasks.values()) this.#requests.holdUp(taskId, submitted);
  }
}

const noResult: NodeResult = { output: '', error: null };

/** @param known what the log has, where it had the memo before */
function memoAck(ref: DurableEventLogEntryRef, known: Pick<NodeResult, 'output'> | undefined): Response {
  return {
    $case: 'memoAck',
    value: {
      ref,
      memoAlreadyExisted: known !== undefined,
      memoResultPayload: known === undefined ? undefined : Buffer.from(known.output ?? 'null'),
    },
  };
}

function spawning(children: readonly AskedChild[]): Checked<DurableAsk> {
  const tasks = children.reduce((sum, { run }) => sum + run.taskIds.length, 0);
  if (tasks > maxBulkTasks)
    throw new HatchetError('INVALID_ARGUMENT', `the call makes ${tasks} tasks`, {
      remedy: `Make at most ${maxBulkTasks} a call.`,
    });
  return markChecked({ kind: 'children' as const, children });
}

/** Anything else ends the stream: the worker asks again on the next one. */
function isRefusal(error: unknown): error is HatchetError {
  return error instanceof HatchetError && error.code !== 'NOT_OWNER' && error.code !== 'STOPPING';
}

function memoKey(key: Uint8Array): string {
  if (key.length === 0 || key.length > longestText)
    throw new HatchetError('INVALID_ARGUMENT', `the memo's key has ${key.length} bytes`, {
      remedy: `Use 1 to ${longestText}.`,
    });
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex');
}
