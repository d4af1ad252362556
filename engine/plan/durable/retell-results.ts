import type { DurableTask } from './durable-index.ts';
import { send } from './tell-results-in-order.ts';
import type { Plan } from '../state/plan.ts';

/** A result that was told this long ago and is waited for still was lost on its way. */
const lostAfterUs = 500_000;
/** Code that was changed may never ask for what a result is held back for: after this long it is told all the same. */
const stalledAfterUs = 5_000_000;

const none: ReadonlySet<number> = new Set();

/** Of what an invocation says that it waits for: tells it again of results that were lost, were left alone before, or whose turn will not come. */
export function retellResults(plan: Plan, task: DurableTask, given: readonly { branch: number; node: number }[]): void {
  const { row, log, delivery } = task;
  const { undo } = plan.state;
  const nodes = new Set(
    given.filter(({ branch, node }) => log.find(branch, node) !== undefined).map(({ node }) => node),
  );
  const quietUs = plan.nowUs - delivery.movedUs;
  const isQuiet = quietUs >= lostAfterUs || delivery.muted;
  const isStuck = delivery.noteWait(plan.nowUs, undo) >= stalledAfterUs;
  const worker = plan.state.workerOf(row);
  const isStrict = worker?.isStrict === true;
  const news = isStrict ? delivery.hearNews(nodes, undo) : worker?.forgetsResults === true ? none : nodes;
  if (!isStrict) delivery.hearAll(nodes, undo);
  // Hatchet's workers forget a result that their code has: a second wait for the same child asks for it again. What has just gone out may be on its way.
  const isAskedAgain = (node: number): boolean =>
    !news.has(node) && plan.nowUs - (delivery.toldUs.get(node) ?? plan.nowUs) >= lostAfterUs;
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
