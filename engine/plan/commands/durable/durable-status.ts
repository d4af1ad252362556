import { dismissSender } from '../../durable/dismiss-invocation.ts';
import { invocationRow, loadedTask } from '../../durable/invocation-row.ts';
import type { DurableTask } from '../../durable/durable-index.ts';
import { startAgain } from '../../durable/restore-task.ts';
import { send, tell } from '../../durable/tell-results.ts';
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
  split: undefined,
  plan: hearStatus,
};

/** A result that was told this long ago and is waited for still was lost on its way. */
const lostUs = 500_000;
/** Code that was changed may never ask for what a result is held back for: after this long it is told all the same. */
const stalledUs = 5_000_000;

/**
 * A worker's status may come in several messages, so one that is not named may be named in the next: only those that are go on
 * being told. One that waits for nothing need not be told of anything before it asks or waits.
 */
function hearStatus(plan: Plan, command: DurableStatusCommand): void {
  const { tenantId, workerId } = command;
  for (const { taskId, invocation, nodes } of command.tasks) {
    const row = invocationRow(plan, { tenantId, workerId, taskId, invocation });
    if (row === undefined) {
      dismissSender(plan, { workerId, taskId, invocation });
      continue;
    }
    const task = loadedTask(plan, row);
    if (task.delivery.isLost) {
      startAgain(
        plan,
        task,
        'the engine cannot tell how far this invocation had come; the task starts again from its log',
      );
      continue;
    }
    hear(plan, task, nodes);
    task.delivery.unmute(plan.state.undo);
    tell(plan, task);
  }
}

const none: ReadonlySet<number> = new Set();

function hear(plan: Plan, task: DurableTask, given: readonly { branch: number; node: number }[]): void {
  const { row, log, delivery } = task;
  const { undo } = plan.state;
  const nodes = new Set(
    given.filter(({ branch, node }) => log.find(branch, node) !== undefined).map(({ node }) => node),
  );
  const quietUs = plan.nowUs - delivery.movedUs;
  const isQuiet = quietUs >= lostUs || delivery.muted;
  const isStuck = delivery.noteWait(plan.nowUs, undo) >= stalledUs;
  const worker = plan.state.workerOf(row);
  const isStrict = worker?.isStrict === true;
  const news = isStrict ? delivery.hearNews(nodes, undo) : worker?.forgetsResults === true ? none : nodes;
  if (!isStrict) delivery.hearAll(nodes, undo);
  // Hatchet's workers forget a result that their code has: a second wait for the same child asks for it again. What has just gone out may be on its way.
  const isAskedAgain = (node: number): boolean =>
    !news.has(node) && plan.nowUs - (delivery.toldUs.get(node) ?? plan.nowUs) >= lostUs;
  const isDue = (node: number): boolean => delivery.passedOver.has(node) || isAskedAgain(node);
  if (!isQuiet && ![...nodes].some(isDue)) return;
  for (const [at, node] of log.satisfied.entries()) {
    if (!nodes.has(node.node)) continue;
    const wasTold = delivery.wasTold(at, node);
    const isStalled = !wasTold && isStuck;
    if (!delivery.passedOver.has(node.node) && !isStalled && !(wasTold && (isQuiet || isAskedAgain(node.node))))
      continue;
    if (!wasTold) delivery.tellOutOfOrder(node, undo);
    send(plan, task, node, null);
  }
}
