import { Box, Text } from 'ink';
import type { RunRow } from '../../monitor/run-reader.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, spanText } from '../../output/span-text.ts';
import { fit, pad } from '../../output/table.ts';
import { tableRows, windowStart } from '../model/layout.ts';
import type { UiState } from '../model/ui-state.ts';
import { visibleRuns } from '../model/visible-runs.ts';
import { statusColor, statusMark } from './status-style.ts';

export function RunsView({ state }: { state: UiState }) {
  const rows = visibleRuns(state);
  const height = tableRows(state);
  const selected = Math.max(0, rows.findIndex((row) => row.runId === state.selected));
  const start = windowStart(selected, rows.length, height);
  const narrow = state.columns < 110;
  const nameWidth = Math.max(12, Math.min(36, state.columns - (narrow ? 50 : 76)));
  return (
    <Box flexDirection="column">
      <Text dimColor wrap="truncate">
        {`  ${pad('STATUS', 12)}${pad('WORKFLOW', nameWidth + 1)}${pad('AGE', 10, 'right')}${pad('TOOK', 10, 'right')}  ${narrow ? 'RUN' : pad('RUN', 38) + 'ERROR'}`}
      </Text>
      {rows.length === 0 ? <Empty state={state} /> : undefined}
      {rows.slice(start, start + height).map((run, index) => (
        <Line key={run.runId} run={run} isSelected={start + index === selected} state={state} nameWidth={nameWidth} narrow={narrow} />
      ))}
    </Box>
  );
}

function Line({ run, isSelected, state, nameWidth, narrow }: { run: RunRow; isSelected: boolean; state: UiState; nameWidth: number; narrow: boolean }) {
  const name = pad(fit(plainText(run.workflow), nameWidth), nameWidth + 1);
  const times = `${pad(ageText(run.createdAt, state.nowMs), 10, 'right')}${pad(spanText(run.startedAt ?? run.createdAt, run.finishedAt, state.nowMs), 10, 'right')}`;
  const rest = narrow ? run.runId.slice(0, 8) + '…' + run.runId.slice(-4) : `${run.runId}  ${plainText(run.errorMessage ?? '')}`;
  return (
    <Text wrap="truncate" inverse={isSelected} dimColor={state.connection === 'lost'}>
      {isSelected ? '▸ ' : '  '}
      <Text color={statusColor[run.status]}>{pad(`${statusMark[run.status]} ${run.status}`, 12)}</Text>
      {`${name}${times}  ${rest}`}
    </Text>
  );
}

function Empty({ state }: { state: UiState }) {
  const [first] = state.workflows;
  if (state.found !== undefined) return <Text>{state.found.isLoading ? '\n  Looking through all runs…' : '\n  No run fits. esc shows all again.'}</Text>;
  if (first !== undefined) return <Text>{`\n  No runs yet. Press t to trigger ${plainText(first.name)}.`}</Text>;
  return <Text>{'\n  No runs yet, and no workflow: a worker registers them when it starts.'}</Text>;
}
