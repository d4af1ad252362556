import { Box, Text } from 'ink';
import { isOpenSleep } from '../../durable/log-tree.ts';
import { branchTitle, nodeResult, nodeTitle, nodeWait } from '../../durable/node-text.ts';
import { plainText } from '../../output/plain-text.ts';
import { spanText } from '../../output/time-text.ts';
import { fit, pad } from '../../output/table.ts';
import { durableWindow, nodeRows, type DurableLine, type SelectedNode } from '../model/run/durable-lines.ts';
import type { OpenRun, UiState } from '../model/ui-state.ts';
import { rowsOf } from './rows-of.ts';
import { statusStyle } from './styles.ts';

/** Time and invocation at a line's end. */
const endWidth = 17;

/** The logs as a tree, and below it what there is to say of the selected node. */
export function DurablePane({ state, run, rows }: { state: UiState; run: OpenRun; rows: number }) {
  const { lines, start, height, at, selected, hasDetails } = durableWindow(state, run, rows);
  if (lines.length === 0)
    return (
      <Text dimColor wrap="truncate">
        {' '}
        it has asked for nothing yet
      </Text>
    );
  return (
    <Box flexDirection="column">
      <Box flexDirection="column" height={Math.min(height, lines.length)} overflow="hidden">
        {rowsOf(lines.slice(start, start + height), start).map(({ row, item: line }) => (
          <Line key={row} line={line} state={state} isSelected={row === at} />
        ))}
      </Box>
      {selected === undefined || !hasDetails ? undefined : <Details selected={selected} state={state} />}
    </Box>
  );
}

function Line({ line, state, isSelected }: { line: DurableLine; state: UiState; isSelected: boolean }) {
  if (line.kind === 'task') return <Text bold wrap="truncate">{` ${plainText(line.task)}`}</Text>;
  const { rails, isCurrent } = line.line;
  const mark = isSelected ? '▸' : ' ';
  if (line.line.kind === 'branch') {
    return (
      <Text wrap="truncate" dimColor={!isCurrent} bold={isCurrent}>
        {`${mark}${rails} ${branchTitle(line.line.branch)}${isCurrent ? ' (the present one)' : ''}`}
      </Text>
    );
  }
  const { node } = line.line;
  const result = nodeResult(node);
  const left = `${mark}${rails} ${plainText(`${nodeTitle(node)}${result === '' ? '' : ` → ${result}`}`)}`;
  const width = state.columns - endWidth - 1;
  const style = node.status !== null ? statusStyle[node.status] : isCurrent ? statusStyle.RUNNING : {};
  const took =
    node.satisfiedAt === null && !isCurrent ? 'left open' : spanText(node.askedAt, node.satisfiedAt, state.nowMs);
  return (
    <Text wrap="truncate" inverse={isSelected} {...style} dimColor={!isCurrent}>
      {`${pad(fit(left, width), width)}${pad(took, 11, 'right')} ${pad(node.invocation === null ? '' : `#${node.invocation}`, 4, 'right')}`}
    </Text>
  );
}

/** What did not fit on its line, and what can be done with it. */
function Details({ selected, state }: { selected: SelectedNode; state: UiState }) {
  const { node, log, isCurrent } = selected;
  const child = node.child?.runId ?? null;
  const keys = [
    child === null ? '' : 'enter opens the child',
    log.canSkip && isOpenSleep(node) && isCurrent ? 's skips the sleep' : '',
    'b branches from here',
  ]
    .filter((text) => text !== '')
    .join('  ');
  const wait =
    node.satisfiedAt === null && !isCurrent
      ? 'left open'
      : node.satisfiedAt === null
        ? nodeWait(node, state.nowMs)
        : `took ${nodeWait(node)}`;
  return (
    <Box flexDirection="column" height={nodeRows} overflow="hidden">
      <Text bold wrap="truncate">{` ${plainText(nodeTitle(node))}`}</Text>
      <Text wrap="truncate">{` ${wait}${node.invocation === null ? '' : `, invocation ${node.invocation}`}, branch ${node.branch}${child === null ? '' : `, run ${child}`}`}</Text>
      <Text wrap="truncate">{` ${plainText(nodeResult(node))}`}</Text>
      <Text dimColor wrap="truncate">{` ${keys}`}</Text>
    </Box>
  );
}
