import { describeAsked, EntryKind, type Asked } from '../../model/durable/durable.ts';
import type { DurableAskReply } from '../../model/durable/durable-operation.ts';
import { LiveFlag } from '../../model/task/live-state.ts';
import { isPatchKey, isSameMemo } from '../../model/durable/memo-key.ts';
import { mismatchMessage } from '../../model/durable/mismatch-text.ts';
import { pass } from './append-node.ts';
import type { DurableTask } from './durable-index.ts';
import type { DurableNode } from './durable-log.ts';
import { setFlag, type Plan } from '../state/plan.ts';
import type { TaskRow } from '../state/table/rows.ts';

interface Wanted {
  kind: EntryKind;
  fingerprint: string;
}

/** Whether a replay asks for what the log holds at the node. */
export function matchesNode(taskId: string, node: Wanted, wanted: Wanted): boolean {
  if (node.kind !== wanted.kind) return false;
  return wanted.kind === EntryKind.Memo
    ? isSameMemo(taskId, node.fingerprint, wanted.fingerprint)
    : node.fingerprint === wanted.fingerprint;
}

export function isPatch({ kind, fingerprint }: Wanted): boolean {
  return kind === EntryKind.Memo && isPatchKey(fingerprint);
}

/** Code whose change is through with need not ask for it any more. */
export function passOldPatches(plan: Plan, task: DurableTask, wanted: Wanted): void {
  const { log, delivery } = task;
  for (
    let node = log.at(delivery.position + 1);
    node !== undefined && isPatch(node) && !isPatch(wanted);
    node = log.at(delivery.position + 1)
  )
    pass(plan, task, node);
}

/** The task fails for good, whatever its code makes of the error. */
export function mismatch(
  plan: Plan,
  row: TaskRow,
  { node, asked }: { node: DurableNode; asked: Asked },
): DurableAskReply {
  const message = mismatchMessage({
    node: node.node,
    recorded: describeAsked(node.asked),
    asked: describeAsked(asked),
  });
  setFlag(plan, row, LiveFlag.NoRetry);
  return { kind: 'mismatch', branch: node.branch, node: node.node, message };
}
