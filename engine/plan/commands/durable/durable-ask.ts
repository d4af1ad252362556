import { EntryKind, type Asked } from '../../../model/durable/durable.ts';
import type {
  AskedChild,
  DurableAsk,
  DurableAskReply,
  DurableRef,
  DurableSender,
} from '../../../model/durable/durable-operation.ts';
import { LiveFlag } from '../../../model/task/live-state.ts';
import { RunStatus } from '../../../model/task/status.ts';
import { append, pass } from '../../durable/append-node.ts';
import { loadedTask } from '../../durable/find-durable-task.ts';
import { invocationRow } from '../../durable/stale-invocation.ts';
import type { DurableTask } from '../../durable/durable-index.ts';
import type { DurableNode } from '../../durable/durable-log.ts';
import { startAgain } from '../../durable/restore-task.ts';
import { linkChild, meetCondition, satisfy, unlinkChild } from '../../durable/satisfy-node.ts';
import { tell } from '../../durable/tell-results-in-order.ts';
import { isKnownRun, startRun } from '../../lifecycle/start-run.ts';
import { setFlag, type Plan } from '../../state/plan.ts';
import type { Facts } from '../loaded-facts.ts';
import { tasksOf, visitRun, type Kind } from '../command-kind.ts';
import { matchesNode, isPatch, passOldPatches, mismatch } from '../../durable/match-node.ts';

/** The next operation of a durable task. Answered by an effect. */
export interface DurableAskCommand extends DurableSender {
  kind: 'durableAsk';
  /** The stream that carried it: the answer goes there or nowhere, since requests are numbered anew on the next one. */
  stream: number;
  /** Its number on that stream. */
  request: number;
  ask: DurableAsk;
}

export const durableAsk: Kind<DurableAskCommand, void> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs({ taskId, ask }) {
    const runs = childrenOf(ask);
    return {
      logsOf: [taskId],
      endsOf: runs.map(({ runId }) => runId),
      looksBack:
        ask.kind === 'wait'
          ? ask.asked.conditions.flatMap((condition, index) =>
              condition.kind === 'event' ? [{ index, condition }] : [],
            )
          : [],
    };
  },
  startsRuns: ({ ask }) => childrenOf(ask),
  payloads({ ask }, visit) {
    for (const run of childrenOf(ask)) visitRun(run, visit);
    if (ask.kind === 'memo' && ask.payload !== null) visit(ask.payload);
  },
  weight: ({ ask }) => 1 + tasksOf(childrenOf(ask)),
  split: undefined,
  plan: ask,
};

function childrenOf(ask: DurableAsk): AskedChild['run'][] {
  return ask.kind === 'children' ? ask.children.map(({ run }) => run) : [];
}

/**
 * A durable operation takes the next place of the log. A place that is taken already answers with what it holds, if it was
 * asked the same then; a new one is written down, and starts to wait.
 */
function ask(plan: Plan, command: DurableAskCommand, facts: Facts): void {
  const { state, changes } = plan;
  const row = invocationRow(plan, command);
  if (row === undefined)
    return answer(plan, command, {
      kind: 'stale',
      reason: 'another invocation of the task has taken over, or it has ended',
    });
  const task = loadedTask(plan, row);
  const { log, delivery } = task;
  if (delivery.isLost || facts.isUncertain) {
    const reason = 'the engine cannot tell how far this invocation had come; the task starts again from its log';
    startAgain(plan, task, reason);
    return answer(plan, command, { kind: 'stale', reason });
  }
  // A worker says what it waits for before it asks for more: this one waits for nothing. On its present stream, that is.
  if (command.stream === state.workerOf(row)?.durableStream) delivery.unmute(state.undo);
  const mark = { undo: state.undo.mark(), changes: changes.mark() };
  const refs: DurableRef[] = [];
  // First in line: what a new node brings about at once comes after the answer that names it.
  answer(plan, command, { kind: 'ok', refs });
  for (const one of command.ask.kind === 'children' ? command.ask.children : [command.ask]) {
    const wanted = wantedOf(one);
    const same = 'run' in one ? spawned(task, one) : undefined;
    if (same === undefined) passOldPatches(plan, task, wanted);
    const node = same ?? log.at(delivery.position + 1);
    if (node !== undefined && !matchesNode(log.taskId, node, wanted)) {
      state.undo.rollback(mark.undo);
      changes.truncate(mark.changes);
      return answer(
        plan,
        command,
        isPatch(wanted) ? { kind: 'unpatched' } : mismatch(plan, row, { node, asked: wanted.asked }),
      );
    }
    if (node !== undefined) {
      if (same === undefined) pass(plan, task, node);
      refs.push(refOf(node));
      continue;
    }
    const made = append(plan, task, { ...wanted, childRunId: 'run' in one ? one.run.runId : null });
    refs.push(refOf(made));
    if ('run' in one) spawn(plan, task, { node: made, child: one, command, facts });
    else if (one.kind === 'wait')
      for (const [index, data] of facts.lookedBack) meetCondition(plan, task, { node: made, index, data });
    else if (one.payload !== null)
      satisfy(plan, task, made, {
        status: RunStatus.Completed,
        payload: one.payload,
        generation: null,
        told: { output: one.payload, error: null },
      });
  }
  tell(plan, task);
}

function answer(plan: Plan, { workerId, stream, request }: DurableAskCommand, reply: DurableAskReply): void {
  if (workerId !== null)
    plan.changes.effects.push({
      kind: 'durableAnswer',
      workerId,
      stream,
      request,
      reply,
    });
}

type Single = Exclude<DurableAsk, { kind: 'children' }>;

function wantedOf(one: AskedChild | Single): { kind: EntryKind; fingerprint: string; asked: Asked } {
  if ('run' in one)
    return {
      kind: EntryKind.Child,
      fingerprint: one.fingerprint,
      asked: { kind: 'child', workflow: one.workflow, child: one.name, input: one.run.input.slice(0, 500) },
    };
  if (one.kind === 'wait') return { kind: EntryKind.Wait, fingerprint: one.fingerprint, asked: one.asked };
  return { kind: EntryKind.Memo, fingerprint: one.key, asked: { kind: 'memo', key: one.key } };
}

function refOf(node: DurableNode): DurableRef {
  return { branch: node.branch, node: node.node, childRunId: node.childRunId, done: node.result !== null };
}

/** A child that this invocation has asked for already, by its key or index: one child a key. */
function spawned({ log, delivery }: DurableTask, child: AskedChild): DurableNode | undefined {
  const node = child.name === '' ? undefined : log.child(child.name);
  return node !== undefined && delivery.hasAsked(node) ? node : undefined;
}

/** The child runs, in this very transaction; one that is there already is taken as it is. */
function spawn(
  plan: Plan,
  task: DurableTask,
  { node, child, command, facts }: { node: DurableNode; child: AskedChild; command: DurableAskCommand; facts: Facts },
): void {
  const { run } = child;
  const ended = facts.ends.get(run.runId);
  if (ended !== undefined)
    return satisfy(plan, task, node, {
      status: ended.status,
      payload: null,
      generation: ended.generation,
      told: null,
    });
  const link = { parentTaskId: task.log.taskId, branch: node.branch, node: node.node };
  linkChild(plan, run.runId, link);
  if (isKnownRun(plan, facts.storedIds, run.runId)) return markChild(plan, run.runId);
  const collision = startRun(plan, command.tenantId, run);
  if (collision === undefined) return markChild(plan, run.runId);
  unlinkChild(plan, run.runId);
  const error = JSON.stringify({
    message: `run ${collision.existingRunId} holds the idempotency key, so no child was started`,
  });
  satisfy(plan, task, node, {
    status: RunStatus.Failed,
    payload: error,
    generation: null,
    told: { output: null, error },
  });
}

/** So that a restart finds the link to its parent without looking through all logs. */
function markChild(plan: Plan, runId: string): void {
  const { state } = plan;
  const runRow = state.runsById.get(runId);
  const run = runRow === undefined ? undefined : state.runs[runRow];
  for (const taskId of run?.taskIds ?? [runId]) {
    const row = state.tasks.find(taskId);
    if (row !== undefined) setFlag(plan, row, LiveFlag.DurableChild);
  }
}
