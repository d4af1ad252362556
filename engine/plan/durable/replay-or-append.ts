import { EntryKind, type Asked } from '../../model/durable/durable.ts';
import type { AskedChild, DurableAsk, DurableRef } from '../../model/durable/durable-operation.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';
import { LiveFlag } from '../../model/task/live-state.ts';
import { RunStatus, type TerminalStatus } from '../../model/task/status.ts';
import { isKnownRun, startRun } from '../lifecycle/start-run.ts';
import { setFlag, type Plan } from '../state/plan.ts';
import { append, pass } from './append-node.ts';
import type { DurableTask } from './durable-index.ts';
import type { DurableNode } from './durable-log.ts';
import { matchesNode, passOldPatches } from './match-node.ts';
import { linkChild, meetCondition, satisfy, unlinkChild } from './satisfy-node.ts';

type AskedOne = AskedChild | Exclude<DurableAsk, { kind: 'children' }>;

interface Wanted {
  kind: EntryKind;
  fingerprint: string;
  asked: Asked;
}

export interface Difference {
  node: DurableNode;
  wanted: Wanted;
}

/** What memory does not know of what is asked for. */
interface AskFacts {
  /** Children that have ended. */
  readonly ends: ReadonlyMap<string, { status: TerminalStatus; generation: number }>;
  /** Children whose runs exist. */
  readonly storedIds: ReadonlySet<string>;
  /** Payloads of events from before a wait, by the index of the condition that looks back. */
  readonly lookedBack: ReadonlyMap<number, string>;
}

/**
 * A durable operation takes the next place of the log. A place that is taken already answers with what it holds, if it was
 * asked the same then; a new one is written down, and starts to wait.
 * @param operation.refs gets the places, in the order of what was asked
 * @returns where what is asked differs from the log: then what has changed so far has to be taken back
 */
export function replayOrAppend(
  plan: Plan,
  operation: {
    task: DurableTask;
    asked: readonly AskedOne[];
    refs: DurableRef[];
    tenantId: TenantId;
    facts: AskFacts;
  },
): Difference | undefined {
  const { task, asked, refs, tenantId, facts } = operation;
  const { log, delivery } = task;
  for (const one of asked) {
    const wanted = wantedOf(one);
    const same = 'run' in one ? spawned(task, one) : undefined;
    if (same === undefined) passOldPatches(plan, task, wanted);
    const node = same ?? log.at(delivery.position + 1);
    if (node !== undefined && !matchesNode(log.taskId, node, wanted)) return { node, wanted };
    if (node !== undefined) {
      if (same === undefined) pass(plan, task, node);
      refs.push(refOf(node));
      continue;
    }
    const made = append(plan, task, { ...wanted, childRunId: 'run' in one ? one.run.runId : null });
    refs.push(refOf(made));
    if ('run' in one) spawn(plan, task, { node: made, child: one, tenantId, facts });
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
  return undefined;
}

function wantedOf(one: AskedOne): Wanted {
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
  { node, child, tenantId, facts }: { node: DurableNode; child: AskedChild; tenantId: TenantId; facts: AskFacts },
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
  const collision = startRun(plan, tenantId, run);
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
