import { logTree, openNodes, type TreeLine } from '../../../durable/log-tree.ts';
import type { DurableLogRow, NodeRow } from '../../../monitor/durable-log-row.ts';
import { clickedRow, windowStart } from '../frame.ts';
import type { OpenRun, UiState } from '../ui-state.ts';
import { chosenTask } from './chosen-task.ts';

/** A line of the pane: of a task's log, or the task's name where the run has several logs. */
export type DurableLine =
  | { kind: 'task'; task: string }
  | { kind: 'tree'; log: DurableLogRow; line: TreeLine; /** Of a node. */ key: string | undefined };

/** A node that can be selected. */
export interface SelectedNode {
  key: string;
  log: DurableLogRow;
  node: NodeRow;
  isCurrent: boolean;
}

function nodeKey(taskId: string, node: NodeRow): string {
  return `${taskId} ${node.branch} ${node.node}`;
}

export function durableLines(run: Pick<OpenRun, 'durable' | 'detail' | 'task'>): readonly DurableLine[] {
  // In the order of the run's tasks: logs come in any.
  const only = chosenTask(run);
  const tasks = (run.detail?.tasks ?? []).filter((task) => only === undefined || task === only);
  const logs = tasks.flatMap((task) => run.durable.get(task.taskId) ?? []);
  return logs.flatMap((log) => [
    ...(logs.length > 1 ? [{ kind: 'task' as const, task: log.task }] : []),
    ...logTree(log).map((line): DurableLine => ({
      kind: 'tree',
      log,
      line,
      key: line.kind === 'node' ? nodeKey(log.taskId, line.node) : undefined,
    })),
  ]);
}

export function selectableNodes(lines: readonly DurableLine[]): readonly SelectedNode[] {
  return lines.flatMap((each) =>
    each.kind === 'tree' && each.line.kind === 'node' && each.key !== undefined
      ? [{ key: each.key, log: each.log, node: each.line.node, isCurrent: each.line.isCurrent }]
      : [],
  );
}

/** The chosen node; else the one that the run was opened for, what it waits for, or the newest. */
export function selectedNode(
  run: Pick<OpenRun, 'node' | 'aim'>,
  nodes: readonly SelectedNode[],
): SelectedNode | undefined {
  const chosen = nodes.find((each) => each.key === run.node);
  if (chosen !== undefined) return chosen;
  const current = nodes.filter((each) => each.isCurrent);
  const open = new Set([...new Set(current.map((each) => each.log))].flatMap((log) => openNodes(log)));
  return (
    current.find((each) => each.node.node === run.aim) ??
    current.find((each) => open.has(each.node)) ??
    current.at(-1) ??
    nodes.at(-1)
  );
}

/** Lines that tell more of the selected node. */
export const nodeRows = 4;

/** The lines that are drawn: those of all from `start` on, and below them, where there is room, what there is to say of the selected node. */
export function durableWindow(
  state: Pick<UiState, 'clicked'>,
  run: OpenRun,
  rows: number,
): {
  lines: readonly DurableLine[];
  start: number;
  height: number;
  at: number;
  selected: SelectedNode | undefined;
  hasDetails: boolean;
} {
  const lines = durableLines(run);
  const selected = selectedNode(run, selectableNodes(lines));
  const hasDetails = rows >= 2 * nodeRows;
  const height = hasDetails ? rows - nodeRows : rows;
  const at = lines.findIndex((line) => line.kind === 'tree' && line.key !== undefined && line.key === selected?.key);
  return {
    lines,
    height,
    at,
    selected,
    hasDetails,
    start: windowStart(Math.max(0, at), lines.length, height, clickedRow(state, 'nodes')),
  };
}
