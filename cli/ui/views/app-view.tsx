import { Box, Text } from 'ink';
import { amount } from '../../output/amount.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, msText } from '../../output/span-text.ts';
import { fit, pad } from '../../output/table.ts';
import { crashLines } from '../model/layout.ts';
import { askedQuery } from '../model/found-runs.ts';
import { views, type DevStatus, type UiState, type ViewName } from '../model/ui-state.ts';
import { visibleRuns } from '../model/visible-runs.ts';
import { DialogView } from './dialogs.tsx';
import { ListView } from './list-view.tsx';
import { LogsView } from './logs-view.tsx';
import { RunView } from './run-view.tsx';
import { RunsView } from './runs-view.tsx';
import { rowsOf } from './rows-of.ts';

const smallest = { rows: 24, columns: 80 };

/** The whole screen, one row less than the terminal has: a full one would make it scroll. */
export function AppView({ state }: { state: UiState }) {
  if (state.rows < smallest.rows - 4 || state.columns < smallest.columns - 20) {
    return <Text>{`The terminal is too small: ${state.columns}×${state.rows}, and ${smallest.columns}×${smallest.rows} is needed. q quits.`}</Text>;
  }
  return (
    <Box flexDirection="column" height={state.rows - 1} width={state.columns} overflow="hidden">
      {/* Only the middle gives way where there is little room; what shrank would be drawn over itself. */}
      <Box flexDirection="column" flexShrink={0}>
        <Header state={state} />
        {state.dev === undefined ? undefined : <Banner dev={state.dev} />}
      </Box>
      <Box flexDirection="column" flexGrow={1} overflow="hidden">
        <Box flexDirection="column" flexShrink={0}>
          <Body state={state} />
        </Box>
      </Box>
      <Box flexDirection="column" flexShrink={0}>
        {state.dialog === undefined ? undefined : <DialogView state={state} dialog={state.dialog} />}
        <StatusBar state={state} />
      </Box>
    </Box>
  );
}

const titles: Readonly<Record<ViewName, string>> = { runs: 'Runs', workflows: 'Workflows', workers: 'Workers', queues: 'Queues', schedules: 'Schedules', logs: 'Logs' };

function Header({ state }: { state: UiState }) {
  return (
    <Text wrap="truncate">
      <Text bold>hatchet </Text>
      {views.map((view, index) => (
        <Text key={view} inverse={view === state.view} dimColor={view !== state.view}>{view === state.view ? `[${index + 1} ${titles[view]}]` : ` ${index + 1} ${titles[view]} `}</Text>
      ))}
    </Text>
  );
}

function Body({ state }: { state: UiState }) {
  if (state.dev !== undefined && state.overview === undefined && state.view === 'runs') return <Checklist dev={state.dev} />;
  if (state.run !== undefined) return <RunView state={state} run={state.run} />;
  switch (state.view) {
    case 'runs':
      return <RunsView state={state} />;
    case 'logs':
      return <LogsView state={state} />;
    case 'workflows':
    case 'workers':
    case 'queues':
    case 'schedules':
      return <ListView state={state} view={state.view} />;
  }
}

function Checklist({ dev }: { dev: DevStatus }) {
  return (
    <Box flexDirection="column" marginTop={1}>
      {dev.stages.map((stage) => (
        <Text key={stage.name}>{`  ${stage.ms === null ? '…' : '✓'} ${stage.name.padEnd(12)}${stage.ms === null ? '' : msText(stage.ms)}`}</Text>
      ))}
    </Box>
  );
}

function Banner({ dev }: { dev: DevStatus }) {
  if (dev.trouble !== undefined) {
    return (
      <Box flexDirection="column">
        <Text color="red" wrap="truncate">{`✗ ${plainText(dev.trouble.text)}`}</Text>
        <Text wrap="truncate">{`  ${plainText(dev.trouble.remedy)}`}</Text>
      </Box>
    );
  }
  const [problem] = dev.problems;
  if (problem !== undefined) {
    return (
      <Text color="red" wrap="truncate">
        {`✗ not built, ${dev.worker === 'none' ? 'no worker serves yet' : 'the last good worker serves'}: ${problem.file}:${problem.line}:${problem.column} ${plainText(problem.message)}${dev.problems.length > 1 ? ` (and ${dev.problems.length - 1} more)` : ''}`}
      </Text>
    );
  }
  const [mismatch] = dev.mismatches;
  if (mismatch !== undefined) {
    const more = dev.mismatches.length > 1 ? ` (and ${dev.mismatches.length - 1} more)` : '';
    return (
      <Box flexDirection="column">
        <Text color="red" wrap="truncate">{`✗ ${plainText(mismatch.workflow)} ${mismatch.runId.slice(0, 8)}…${mismatch.runId.slice(-4)} does not fit the code any more, at node ${mismatch.node}${more}`}</Text>
        <Text wrap="truncate">{`  its log holds  ${plainText(mismatch.recorded)}`}</Text>
        <Text wrap="truncate">{`  the code asks  ${plainText(mismatch.asked)}`}</Text>
        <Text dimColor wrap="truncate">{'  m opens it, b there branches; or guard the change with patched(), or run anew'}</Text>
      </Box>
    );
  }
  if (dev.crash !== undefined) {
    return (
      <Box flexDirection="column">
        <Text color="red" wrap="truncate">{`✗ ${dev.crash.text}`}</Text>
        {rowsOf(dev.crash.lines.slice(-crashLines)).map(({ row, item: line }) => (
          <Text key={row} dimColor wrap="truncate">{`  │ ${plainText(line)}`}</Text>
        ))}
      </Box>
    );
  }
  if (dev.held.length > 0) {
    return <Text color="yellow" wrap="truncate">{`! the worker writes ${plainText(dev.held.join(', '))} itself at each start, and imports it; r or another change reloads`}</Text>;
  }
  const [warning] = dev.typeProblems;
  if (warning === undefined) return undefined;
  return (
    <Text color="yellow" wrap="truncate">
      {`! ${dev.typeProblems.length} type error(s): ${warning.file}:${warning.line}:${warning.column} ${plainText(warning.message)}`}
    </Text>
  );
}

const keys = '  ? help  q quit ';

function StatusBar({ state }: { state: UiState }) {
  const { overview, connection, dev, notice } = state;
  const away = connection === 'lost' ? 'engine away, reconnecting  ' : '';
  const engine = overview === undefined ? '  engine …' : `  engine up ${ageText(overview.engineStartedAt, state.nowMs)}`;
  const room = state.columns - keys.length;
  const worker = dev === undefined ? amount(overview?.workers ?? 0, 'worker') : `worker ${dev.worker}${dev.reloads > 0 ? ` (${amount(dev.reloads, 'reload')})` : ''}`;
  const load = overview === undefined ? '' : `  ${runsPerSecond(state)} runs/s  ${overview.queued} queued  ${overview.running} running`;
  return (
    <Box flexDirection="column">
      <Text wrap="truncate" color="cyan">
        {notice === undefined ? ` ${filterText(state)}` : ` ${plainText(notice.text)}`}
      </Text>
      <Text wrap="truncate" inverse>
        {pad(fit(` ${away}${worker}${load}${away === '' && worker.length + load.length + engine.length < room ? engine : ''}`, room), room) + keys}
      </Text>
    </Box>
  );
}

/** What hides rows of the view. */
function filterText(state: UiState): string {
  if (state.run !== undefined) return '';
  const status = state.view === 'runs' && state.filter !== 'ALL' ? `status ${state.filter}` : '';
  const { text } = state.searches[state.view];
  const parts = [status, text === '' ? '' : `search ${text}`].filter((part) => part !== '');
  if (parts.length === 0) return state.view === 'runs' ? placeText(state) : '';
  const problem = state.view === 'runs' ? askedQuery(state).problem : undefined;
  const place = state.view === 'runs' ? `  ${placeText(state)}` : '';
  return problem === undefined ? `only ${plainText(parts.join(', '))}; esc shows all again${place}` : plainText(problem);
}

/** Where the list stands: `12 of 500+`, with the plus where the engine has more than is loaded. */
function placeText(state: UiState): string {
  const rows = visibleRuns(state);
  if (rows.length === 0) return '';
  const at = Math.max(0, rows.findIndex((row) => row.runId === state.selected)) + 1;
  const hasMore = (state.found === undefined ? state.older : state.found.next) !== null;
  return `${at.toLocaleString('en-US')} of ${rows.length.toLocaleString('en-US')}${hasMore ? '+' : ''}${state.found?.isLoading === true ? ' …' : ''}`;
}

function runsPerSecond(state: UiState): string {
  const [first] = state.rate;
  const last = state.rate.at(-1);
  if (first === undefined || last === undefined || last.atMs <= first.atMs || state.nowMs - last.atMs > 3_000) return '0';
  return (((last.finished - first.finished) * 1000) / (last.atMs - first.atMs)).toFixed(1);
}
