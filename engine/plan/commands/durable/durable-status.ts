import { dismissSender } from '../../durable/dismiss-sender.ts';
import { invocationRow, logOf } from '../../durable/durable-invocation.ts';
import type { DurableLog } from '../../durable/durable-log.ts';
import { startAgain } from '../../durable/durable-restore.ts';
import { send, tell, unmute } from '../../durable/durable-tell.ts';
import type { Plan } from '../../state/plan.ts';
import { hasNoPayloads, makesNoRows, startsNoRuns, type Kind } from '../kind.ts';

/** What a worker's invocations wait for. Changes memory alone. */
export interface DurableStatusCommand {
  kind: 'durableStatus';
  tenantId: string;
  workerId: string;
  tasks: readonly { taskId: string; invocation: number; nodes: readonly { branch: number; node: number }[] }[];
}

export const durableStatus: Kind<DurableStatusCommand, void> = {
  makesRowsOf: makesNoRows,
  needs: ({ tasks }) => ({ logsOf: tasks.map(({ taskId }) => taskId) }),
  startsRuns: startsNoRuns,
  payloads: hasNoPayloads,
  weight: ({ tasks }) => Math.max(1, tasks.length),
  plan: hearStatus,
};

/** A result that was told this long ago and is waited for still was lost on its way. */
const lostUs = 500_000;
/** Code that was changed may never ask for what a result is held back for: after this long it is told all the same. */
const stalledUs = 5_000_000;
/** One status is no sign of more than this, so that a process that was stopped, ours or the worker's, is not taken for one that waits. Workers say it each second, Python's all of it every five. */
const statusSignUs = 1_250_000;

/**
 * A worker's status may come in several messages, so one that is not named may be named in the next: only those that are go on
 * being told. One that waits for nothing need not be told of anything before it asks or waits.
 */
function hearStatus(plan: Plan, command: DurableStatusCommand): void {
  const { tenantId, workerId } = command;
  for (const { taskId, invocation, nodes } of command.tasks) {
    const row = invocationRow(plan, { tenantId, workerId, taskId, invocation });
    if (row < 0) {
      dismissSender(plan, { workerId, taskId, invocation });
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

const none: ReadonlySet<number> = new Set();

function hear(plan: Plan, row: number, log: DurableLog, given: readonly { branch: number; node: number }[]): void {
  const nodes = new Set(
    given.filter(({ branch, node }) => log.find(branch, node) !== undefined).map(({ node }) => node),
  );
  const quietUs = plan.nowUs - log.movedUs;
  const isQuiet = quietUs >= lostUs || log.muted;
  const isStuck = noteWait(plan, log) >= stalledUs;
  const worker = plan.state.workerOf(row);
  const isStrict = worker?.isStrict === true;
  const news = isStrict ? noteNews(plan, log, nodes) : worker?.forgetsResults === true ? none : nodes;
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
