import type {
  AskedChild,
  DurableAsk,
  DurableAskReply,
  DurableRef,
  DurableSender,
} from '../../../model/durable/durable-operation.ts';
import { loadedTask } from '../../durable/find-durable-task.ts';
import { invocationRow } from '../../durable/stale-invocation.ts';
import { startAgain } from '../../durable/restore-task.ts';
import { isPatch, mismatch } from '../../durable/match-node.ts';
import { replayOrAppend } from '../../durable/replay-or-append.ts';
import { tell } from '../../durable/tell-results-in-order.ts';
import type { Plan } from '../../state/plan.ts';
import type { Facts } from '../loaded-facts.ts';
import { tasksOf, visitRun, type Kind } from '../command-kind.ts';

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

function ask(plan: Plan, command: DurableAskCommand, facts: Facts): void {
  const { state, changes } = plan;
  const row = invocationRow(plan, command);
  if (row === undefined)
    return answer(plan, command, {
      kind: 'stale',
      reason: 'another invocation of the task has taken over, or it has ended',
    });
  const task = loadedTask(plan, row);
  const { delivery } = task;
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
  const asked = command.ask.kind === 'children' ? command.ask.children : [command.ask];
  const difference = replayOrAppend(plan, { task, asked, refs, tenantId: command.tenantId, facts });
  if (difference !== undefined) {
    state.undo.rollback(mark.undo);
    changes.truncate(mark.changes);
    const { node, wanted } = difference;
    return answer(
      plan,
      command,
      isPatch(wanted) ? { kind: 'unpatched' } : mismatch(plan, row, { node, asked: wanted.asked }),
    );
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
