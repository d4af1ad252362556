import { Box, Text } from 'ink';
import stringWidth from 'string-width';
import type { RunRow } from '../../monitor/run-reader.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, spanText } from '../../output/time-text.ts';
import { fit, pad } from '../../output/table.ts';
import { isWide } from '../model/frame.ts';
import { marksText } from '../model/runs/marks.ts';
import { runsWindow } from '../model/runs/runs-window.ts';
import { statusMark } from '../model/status-mark.ts';
import type { UiState } from '../model/ui-state.ts';
import { statusStyle } from './styles.ts';

/** All columns but the name and the error; in a narrow terminal status, name, age and error are left. */
const fixedWidth = 50;
const narrowWidth = 15;

export function RunsView({ state }: { state: UiState }) {
  const { rows, start, selected, height } = runsWindow(state);
  const shown = rows.slice(start, start + height);
  const longest = shown.reduce((width, run) => Math.max(width, stringWidth(plainText(run.workflow))), 0);
  const nameWidth = isWide(state)
    ? Math.max(12, Math.min(36, longest, state.columns - fixedWidth))
    : Math.max(8, Math.min(longest, state.columns - narrowWidth));
  const heading = isWide(state)
    ? `  ${pad('STATUS', 12)}${pad('WORKFLOW', nameWidth + 1)}${pad('AGE', 10, 'right')}${pad('TOOK', 10, 'right')}  ${pad('RUN', 15)}ERROR`
    : `    ${pad('WORKFLOW', nameWidth + 1)}${pad('AGE', 9, 'right')}  ERROR`;
  return (
    <Box flexDirection="column">
      <Heading text={heading} marked={marksText(state)} columns={state.columns} />
      {rows.length === 0 ? <Empty state={state} /> : undefined}
      {shown.map((run, index) => (
        <Line key={run.runId} run={run} isSelected={start + index === selected} state={state} nameWidth={nameWidth} />
      ))}
    </Box>
  );
}

/** How many are marked stands at its end: some of them may not be in the list. */
function Heading({ text, marked, columns }: { text: string; marked: string; columns: number }) {
  if (marked === '')
    return (
      <Text dimColor wrap="truncate">
        {text}
      </Text>
    );
  const room = Math.max(0, columns - stringWidth(marked) - 1);
  return (
    <Text wrap="truncate">
      <Text dimColor>{pad(fit(text, room), room)}</Text>
      <Text bold>{` ${marked}`}</Text>
    </Text>
  );
}

function Line({
  run,
  isSelected,
  state,
  nameWidth,
}: {
  run: RunRow;
  isSelected: boolean;
  state: UiState;
  nameWidth: number;
}) {
  const name = pad(fit(plainText(run.workflow), nameWidth), nameWidth + 1);
  const age = ageText(run.createdAt, state.nowMs);
  const error = plainText(run.errorMessage ?? '');
  const took = spanText(run.startedAt ?? run.createdAt, run.finishedAt, state.nowMs);
  // The whole id is copied by y; what is left of the line is the error's.
  const rest = isWide(state)
    ? `${pad(age, 10, 'right')}${pad(took, 10, 'right')}  ${run.runId.slice(0, 8)}…${run.runId.slice(-4)}  ${error}`
    : `${pad(age, 9, 'right')}  ${error}`;
  return (
    <Text wrap="truncate" inverse={isSelected} dimColor={state.connection === 'lost'}>
      {`${isSelected ? '▸' : ' '}${state.marks.has(run.runId) ? '*' : ' '}`}
      <Text {...statusStyle[run.status]}>
        {isWide(state) ? pad(`${statusMark[run.status]} ${run.status}`, 12) : `${statusMark[run.status]} `}
      </Text>
      {`${name}${rest}`}
    </Text>
  );
}

function Empty({ state }: { state: UiState }) {
  const [first] = state.workflows;
  if (state.found !== undefined)
    return (
      <Text>{state.found.isLoading ? '\n  Looking through all runs…' : '\n  No run fits. esc shows all again.'}</Text>
    );
  if (first !== undefined) return <Text>{`\n  No runs yet. Press t to trigger ${plainText(first.name)}.`}</Text>;
  return <Text>{'\n  No runs yet, and no workflow: a worker registers them when it starts.'}</Text>;
}
