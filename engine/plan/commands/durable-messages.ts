import { HatchetError } from '../../base/errors.ts';
import { EntryKind } from '../../model/durable.ts';
import { LiveState } from '../../model/live-state.ts';
import { RunStatus } from '../../model/status.ts';
import { append, invocationRow, logOf } from './durable-ask.ts';
import type {
  DurableAttachCommand,
  DurableEvictCommand,
  DurableMemoCommand,
  DurableRestoreCommand,
  DurableRestoreReply,
  DurableSignalCommand,
  DurableSkipCommand,
  DurableStatusCommand,
} from './durable-command.ts';
import { conditionsOf, type DurableLog } from '../durable/durable-log.ts';
import { evict, mustGoOn, restore, startAgain } from '../durable/durable-restore.ts';
import { meetCondition, satisfy } from '../durable/durable-satisfy.ts';
import { send, tell, unmute } from '../durable/durable-tell.ts';
import type { Plan } from '../state/plan.ts';

/** A result that was told this long ago and is waited for still was lost on its way. */
const lostUs = 500_000;
/** Code that was changed may never ask for what a result is held back for: after this long it is told all the same. */
const stalledUs = 5_000_000;
/** One status is no sign of more than this, so that a process that was stopped, ours or the worker's, is not taken for one that waits. Workers say it each second, Python's all of it every five. */
const statusSignUs = 1_250_000;

export function planDurableMemo(plan: Plan, command: DurableMemoCommand): void {
  const row = invocationRow(plan, command);
  if (row < 0) return refuse(plan, command);
  const log = logOf(plan, row);
  const node = log.find(command.branch, command.node);
  if (node === undefined || node.kind !== EntryKind.Memo || node.result !== null) return;
  satisfy(plan, row, log, node, {
    status: RunStatus.Completed,
    payload: command.payload,
    generation: null,
    told: { output: command.payload, error: null },
  });
}

export function planDurableEvict(plan: Plan, command: DurableEvictCommand): void {
  const row = invocationRow(plan, command);
  if (row < 0) return; // gone already: its worker is answered all the same
  const log = logOf(plan, row);
  const goOn = log.position < 0 || mustGoOn(plan, row, log);
  evict(plan, row, log, command.reason);
  if (goOn) restore(plan, row);
}

/** An invocation that was superseded is told to stop. */
function refuse(plan: Plan, sender: { workerId: string | null; taskId: string; invocation: number }): void {
  if (sender.workerId === null) return;
  plan.changes.effects.push({
    kind: 'durableDismissed',
    workerId: sender.workerId,
    taskId: sender.taskId,
    invocation: sender.invocation,
    reason: 'another invocation of the task has taken over, or it has ended',
  });
}

/**
 * A worker's status may come in several messages, so one that is not named may be named in the next: only those that are go on
 * being told. One that waits for nothing need not be told of anything before it asks or waits.
 */
export function planDurableStatus(plan: Plan, command: DurableStatusCommand): void {
  const { tenantId, workerId } = command;
  for (const { taskId, invocation, nodes } of command.tasks) {
    const row = invocationRow(plan, { tenantId, workerId, taskId, invocation });
    if (row < 0) {
      refuse(plan, { workerId, taskId, invocation });
      continue;
    }
    const log = logOf(plan, row);
    if (log.position < 0) {
      startAgain(
        plan,
        row,
        log,
        'the engine cannot tell how far this invocation had come; the task starts again from its log',
      );
      continue;
    }
    hear(plan, row, log, nodes);
    unmute(plan, log);
    tell(plan, row, log);
  }
}

/** Results that the old stream carried may be lost, so nothing new is told before the worker has said what it waits for. */
export function planDurableAttach(plan: Plan, command: DurableAttachCommand): void {
  const { durable, undo, workersById } = plan.state;
  const worker = workersById.get(command.workerId);
  if (worker === undefined) return;
  const { durableStream, isStrict } = worker;
  worker.durableStream = command.stream;
  worker.isStrict = command.strict;
  undo.record(() => Object.assign(worker, { durableStream, isStrict }));
  for (const row of worker.tasks) {
    const log = durable.log(row);
    if (log === undefined || log.muted) continue;
    log.muted = true;
    undo.record(() => {
      log.muted = false;
    });
  }
}

function hear(plan: Plan, row: number, log: DurableLog, given: readonly { branch: number; node: number }[]): void {
  const nodes = new Set(
    given.filter(({ branch, node }) => log.find(branch, node) !== undefined).map(({ node }) => node),
  );
  const quietUs = plan.nowUs - log.movedUs;
  const isQuiet = quietUs >= lostUs || log.muted;
  const isStuck = noteWait(plan, log) >= stalledUs;
  const isStrict = plan.state.workerOf(row)?.isStrict === true;
  const news = isStrict ? noteNews(plan, log, nodes) : nodes;
  if (!isStrict) setAwaited(plan, log, nodes);
  // Hatchet's workers forget a result that their code has: a second wait for the same child asks for it again. What has just gone out may be on its way.
  const isAskedAgain = (node: number): boolean =>
    !news.has(node) && plan.nowUs - (log.toldUs.get(node) ?? plan.nowUs) >= lostUs;
  const isDue = (node: number): boolean => log.passedOver.has(node) || isAskedAgain(node);
  if (!isQuiet && ![...nodes].some(isDue)) return;
  for (const [at, node] of log.satisfied.entries()) {
    if (!nodes.has(node.node)) continue;
    const wasTold = (at < log.told || log.toldEarly.has(node.node)) && !log.passedOver.has(node.node);
    const isStalled = !wasTold && isStuck;
    if (!log.passedOver.has(node.node) && !isStalled && !(wasTold && (isQuiet || isAskedAgain(node.node)))) continue;
    if (!wasTold) outOfTurn(plan, log, node.node);
    send(plan, row, log, node, null);
  }
}

/** @returns how long the invocation has been seen to wait since it last asked or was told of something */
function noteWait({ state, nowUs }: Plan, log: DurableLog): number {
  const { wait } = log;
  const isSame = wait?.sinceUs === log.movedUs;
  log.wait = {
    sinceUs: log.movedUs,
    heardUs: nowUs,
    seenUs: isSame ? wait.seenUs + Math.min(nowUs - wait.heardUs, statusSignUs) : 0,
  };
  state.undo.record(() => {
    log.wait = wait;
  });
  return log.wait.seenUs;
}

function setAwaited({ state }: Plan, log: DurableLog, nodes: Set<number>): void {
  const { awaited } = log;
  log.awaited = nodes;
  state.undo.record(() => {
    log.awaited = awaited;
  });
}

/** Python's workers say what they begin to wait for, and only from time to time all that they wait for: new nodes alone are added to those before. */
function noteNews({ state }: Plan, log: DurableLog, nodes: Set<number>): ReadonlySet<number> {
  const { awaited, carried, saidLast } = log;
  const news = new Set([...nodes].filter((node) => !log.said.has(node)));
  const isWhole = log.muted || news.size < nodes.size;
  const kept = isWhole ? [] : [...(awaited ?? [])].filter((node) => !carried.has(node));
  log.awaited = nodes;
  if (isWhole && carried.size > 0) log.carried = new Set();
  for (const node of kept) log.carried.add(node);
  for (const node of news) {
    log.said.add(node);
    log.saidLast = Math.max(log.saidLast, node);
  }
  state.undo.record(() => {
    Object.assign(log, { awaited, carried, saidLast });
    for (const node of kept) carried.delete(node);
    for (const node of news) log.said.delete(node);
  });
  return news;
}

function outOfTurn({ state }: Plan, log: DurableLog, node: number): void {
  const wasPassedOver = log.passedOver.delete(node);
  log.toldEarly.add(node);
  state.undo.record(() => {
    log.toldEarly.delete(node);
    if (wasPassedOver) log.passedOver.add(node);
  });
}

export function planDurableRestore(plan: Plan, command: DurableRestoreCommand): DurableRestoreReply {
  const { state } = plan;
  const row = durableRow(plan, command);
  if (state.tasks.state[row] !== LiveState.Evicted) return { requeued: false };
  restore(plan, row);
  return { requeued: true };
}

export function planDurableSkip(plan: Plan, command: DurableSkipCommand): void {
  const row = durableRow(plan, command);
  const log = logOf(plan, row);
  const node = log.find(command.branch, command.node);
  const sleeps =
    node?.result === null
      ? [...conditionsOf(node).entries()].filter(([, condition]) => condition.kind === 'sleep')
      : [];
  if (node === undefined || sleeps.length === 0)
    throw new HatchetError('INVALID_ARGUMENT', `node ${command.node} of task ${command.taskId} is no open sleep`, {
      remedy: '`hatchet runs get <id>` shows the log.',
    });
  for (const [index, condition] of sleeps)
    if (condition.kind === 'sleep')
      meetCondition(plan, row, log, { node, index, data: JSON.stringify({ sleep_duration: condition.duration }) });
}

export function planDurableSignal(plan: Plan, command: DurableSignalCommand): void {
  const row = durableRow(plan, command);
  if (plan.state.tasks.state[row] !== LiveState.Running)
    throw new HatchetError('UNKNOWN_RUN', `no running task ${command.taskId}`, {
      remedy: 'Call this from inside a task that is still running.',
    });
  const log = logOf(plan, row);
  const { key, conditions } = command;
  if (!log.signals.has(key))
    append(plan, row, log, {
      kind: EntryKind.Signal,
      fingerprint: key,
      asked: { kind: 'signal', key, conditions },
      childRunId: null,
    });
}

/** @throws HatchetError UNKNOWN_RUN */
export function durableRow(plan: Plan, command: { tenantId: string; taskId: string }): number {
  const { state } = plan;
  const row = state.tasks.find(command.taskId);
  if (
    row < 0 ||
    state.isEnded(row) ||
    state.stepOf(row).version.tenantId !== command.tenantId ||
    !state.stepOf(row).definition.durable
  ) {
    throw new HatchetError('UNKNOWN_RUN', `there is no unfinished durable task ${command.taskId}`, {
      remedy: 'Check the id; `hatchet runs list` shows the newest runs.',
    });
  }
  return row;
}

/** The first sleep of the logs in memory that is over. */
export function wakeDurableSleeper(plan: Plan): void {
  const { sleeps } = plan.state.durable;
  const [due] = sleeps.takeDue(plan.nowUs, 1);
  if (due === undefined) return;
  const condition = conditionsOf(due.node)[due.index];
  plan.state.undo.record(() => sleeps.push(due));
  if (condition?.kind === 'sleep')
    meetCondition(plan, due.row, due.log, {
      node: due.node,
      index: due.index,
      data: JSON.stringify({ sleep_duration: condition.duration }),
    });
}
