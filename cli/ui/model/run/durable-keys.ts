import { isOpenSleep } from '../../../durable/log-tree.ts';
import { durableLines, selectableNodes, selectedNode } from './durable-lines.ts';
import { moved, movement } from '../move.ts';
import { openRun } from './open-run.ts';
import type { Key, OpenRun, Step, UiState } from '../ui-state.ts';

/** Keys in the log of an open run's durable tasks. */
export function inDurable(state: UiState, run: OpenRun, key: Key): Step {
  const nodes = selectableNodes(durableLines(run));
  const selected = selectedNode(run, nodes);
  if (selected === undefined) return [state, []];
  const by = movement(key, 10);
  if (by !== undefined) return [moveNode(state, run, by), []];
  const { log, node, isCurrent } = selected;
  const place = { taskId: log.taskId, branch: node.branch, node: node.node };
  if (key.name === 'enter') {
    const child = node.child?.runId ?? null;
    return [child === null ? state : { ...state, run: openRun(child, { parents: [...run.parents, run.runId] }) }, []];
  }
  if (key.input === 'b') {
    const question = `Run ${log.task} again from node ${node.node}${isCurrent ? '' : ` of branch ${node.branch}`}? What lies before it is kept.`;
    return [
      {
        ...state,
        dialog: {
          kind: 'confirm',
          title: 'Branch',
          question,
          yes: 'branches',
          no: 'leaves it as it is',
          effect: { type: 'branch', ...place },
        },
      },
      [],
    ];
  }
  if (key.input !== 's') return [state, []];
  if (!log.canSkip) return [notice(state, 'Sleeps are skipped only under hatchet dev.'), []];
  if (!isOpenSleep(node) || !isCurrent) return [notice(state, `Node ${node.node} is no open sleep.`), []];
  return [state, [{ type: 'skip-sleep', ...place }]];
}

/** Selects another node. */
export function moveNode(state: UiState, run: OpenRun, by: number): UiState {
  const nodes = selectableNodes(durableLines(run));
  const selected = selectedNode(run, nodes);
  return selected === undefined
    ? state
    : { ...state, run: { ...run, node: nodes[moved(nodes.indexOf(selected), by, nodes.length)]?.key } };
}

/** The first of the runs that the code does not fit, at the node where it shows; it counts as seen. */
export function openMismatch(state: UiState): Step | undefined {
  const { dev } = state;
  const [first, ...others] = dev?.mismatches ?? [];
  if (dev === undefined || first === undefined) return undefined;
  // One that is open is read already: its feeds go on.
  const open =
    state.run?.runId === first.runId
      ? { ...state.run, pane: 'durable' as const, node: undefined, aim: first.node }
      : openRun(first.runId, { aim: first.node });
  return [{ ...state, view: 'runs', selected: first.runId, run: open, dev: { ...dev, mismatches: others } }, []];
}

function notice(state: UiState, text: string): UiState {
  return { ...state, notice: { text, atMs: state.nowMs } };
}
