import { Box, Text } from 'ink';
import { amount } from '../../output/amount.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, msText } from '../../output/span-text.ts';
import { fit, pad } from '../../output/table.ts';
import { dialogRows } from '../model/dialogs/dialog-content.ts';
import { bannerRows, crashLines, footerRows, frameRows, isStarting, isTall, isTooSmall, smallest } from '../model/frame.ts';
import { bodyRows } from '../model/layout.ts';
import { askedQuery } from '../model/runs/found-runs.ts';
import { keyTabs, tabsWidth, viewTabs } from '../model/tabs.ts';
import type { DevStatus, UiState } from '../model/ui-state.ts';
import { marksText } from '../model/runs/marks.ts';
import { visibleRuns } from '../model/runs/visible-runs.ts';
import { DialogView } from './dialogs.tsx';
import { ListView } from './list-view.tsx';
import { LogsView } from './logs-view.tsx';
import { RunView } from './run-view.tsx';
import { RunsView } from './runs-view.tsx';
import { rowsOf } from './rows-of.ts';
import { attention, notice as noticeStyle, wrong } from './styles.ts';

/** The whole screen. Each part has the height that the layout gives it, and is cut there. */
export function AppView({ state }: { state: UiState }) {
  if (isTooSmall(state)) {
    return <Text wrap="truncate">{`The terminal is too small: ${state.columns}×${state.rows}, and ${smallest.columns}×${smallest.rows} is needed. q quits.`}</Text>;
  }
  return (
    <Box flexDirection="column" height={frameRows(state)} width={state.columns} overflow="hidden">
      <Part rows={1}>
        <Header state={state} />
      </Part>
      <Part rows={bannerRows(state)}>{state.dev === undefined ? undefined : <Banner dev={state.dev} />}</Part>
      <Part rows={bodyRows(state)}>
        <Body state={state} />
      </Part>
      <Part rows={dialogRows(state)}>{state.dialog === undefined ? undefined : <DialogView state={state} dialog={state.dialog} />}</Part>
      <Part rows={footerRows(state)}>
        <StatusBar state={state} />
      </Part>
    </Box>
  );
}

/** What is longer is cut at the end; what shrank would be drawn over itself. */
function Part({ rows, children }: { rows: number; children: React.ReactNode }) {
  if (rows <= 0) return undefined;
  return (
    <Box flexDirection="column" flexShrink={0} height={rows} overflow="hidden">
      <Box flexDirection="column" flexShrink={0}>
        {children}
      </Box>
    </Box>
  );
}

function Header({ state }: { state: UiState }) {
  return (
    <Text wrap="truncate">
      {viewTabs(state).map(({ text, meaning }) => (
        <Text key={text} {...(meaning === undefined ? { bold: true } : { inverse: meaning === state.view, dimColor: meaning !== state.view })}>{text}</Text>
      ))}
    </Text>
  );
}

function Body({ state }: { state: UiState }) {
  if (state.dev !== undefined && isStarting(state)) return <Checklist dev={state.dev} />;
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
        <Text {...wrong} wrap="truncate">{`✗ ${plainText(dev.trouble.text)}`}</Text>
        <Text wrap="truncate">{`  ${plainText(dev.trouble.remedy)}`}</Text>
      </Box>
    );
  }
  const [problem] = dev.problems;
  if (problem !== undefined) {
    return (
      <Text {...wrong} wrap="truncate">
        {`✗ not built, ${dev.worker === 'none' ? 'no worker serves yet' : 'the last good worker serves'}: ${problem.file}:${problem.line}:${problem.column} ${plainText(problem.message)}${dev.problems.length > 1 ? ` (and ${dev.problems.length - 1} more)` : ''}`}
      </Text>
    );
  }
  const [mismatch] = dev.mismatches;
  if (mismatch !== undefined) {
    const more = dev.mismatches.length > 1 ? ` (and ${dev.mismatches.length - 1} more)` : '';
    return (
      <Box flexDirection="column">
        <Text {...wrong} wrap="truncate">{`✗ ${plainText(mismatch.workflow)} ${mismatch.runId.slice(0, 8)}…${mismatch.runId.slice(-4)} does not fit the code any more, at node ${mismatch.node}${more}`}</Text>
        <Text wrap="truncate">{`  its log holds  ${plainText(mismatch.recorded)}`}</Text>
        <Text wrap="truncate">{`  the code asks  ${plainText(mismatch.asked)}`}</Text>
        <Text dimColor wrap="truncate">{'  m opens it, b there branches; or guard the change with patched(), or run anew'}</Text>
      </Box>
    );
  }
  if (dev.crash !== undefined) {
    return (
      <Box flexDirection="column">
        <Text {...wrong} wrap="truncate">{`✗ ${dev.crash.text}`}</Text>
        {rowsOf(dev.crash.lines.slice(-crashLines)).map(({ row, item: line }) => (
          <Text key={row} dimColor wrap="truncate">{`  │ ${plainText(line)}`}</Text>
        ))}
      </Box>
    );
  }
  if (dev.held.length > 0) {
    return <Text {...attention} wrap="truncate">{`! the worker writes ${plainText(dev.held.join(', '))} itself at each start, and imports it; r or another change reloads`}</Text>;
  }
  const [warning] = dev.typeProblems;
  if (warning === undefined) return undefined;
  return (
    <Text {...attention} wrap="truncate">
      {`! ${dev.typeProblems.length} type error(s): ${warning.file}:${warning.line}:${warning.column} ${plainText(warning.message)}`}
    </Text>
  );
}

function StatusBar({ state }: { state: UiState }) {
  const { overview, connection, dev, notice } = state;
  const away = connection === 'lost' ? 'engine away, reconnecting  ' : '';
  const engine = overview === undefined ? '  engine …' : `  engine up ${ageText(overview.engineStartedAt, state.nowMs)}`;
  const keys = keyTabs(state);
  const room = state.columns - tabsWidth(keys);
  const said = notice === undefined ? filterText(state) : plainText(notice.text);
  const worker = dev === undefined ? amount(overview?.workers ?? 0, 'worker') : `worker ${dev.worker}${dev.reloads > 0 ? ` (${amount(dev.reloads, 'reload')})` : ''}`;
  const load = overview === undefined ? '' : `  ${runsPerSecond(state)} runs/s  ${overview.queued} queued  ${overview.running} running`;
  const figures = ` ${away}${worker}${load}${away === '' && worker.length + load.length + engine.length < room ? engine : ''}`;
  // One line for both goes to what was said last.
  const line = isTall(state) || said === '' ? figures : ` ${said}`;
  return (
    <Box flexDirection="column">
      {isTall(state) ? (
        <Text wrap="truncate" {...noticeStyle}>
          {` ${said}`}
        </Text>
      ) : undefined}
      <Text wrap="truncate" inverse>
        {pad(fit(line, room), room) + keys.map(({ text }) => text).join('')}
      </Text>
    </Box>
  );
}

/** What can be done with marked runs; else what hides rows of the view. */
function filterText(state: UiState): string {
  if (state.run !== undefined) return '';
  if (state.view === 'runs' && state.marks.size > 0) return `${marksText(state)}: x cancels, R replays, esc takes the marks away  ${placeText(state)}`;
  const status = state.view === 'runs' && state.filter !== 'ALL' ? `status ${state.filter}` : '';
  const { text } = state.searches[state.view];
  const parts = [status, text === '' ? '' : `search ${text}`].filter((part) => part !== '');
  if (parts.length === 0) return state.view === 'runs' ? `${placeText(state)}  space marks, A marks all` : '';
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
