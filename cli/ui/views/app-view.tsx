import { Box, Text } from 'ink';
import { amount } from '../../output/amount.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, msText } from '../../output/time-text.ts';
import { fit, pad } from '../../output/table.ts';
import type { BannerLine } from '../model/banner.ts';
import { dialogRows } from '../model/dialogs/dialog-content.ts';
import { footerRows, frameRows, isStarting, isTall, isTooSmall, shownBanner, smallest } from '../model/frame.ts';
import { bodyRows } from '../model/layout.ts';
import { runHint } from '../model/run/run-hint.ts';
import { askedQuery } from '../model/runs/asked-filter.ts';
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
    return (
      <Text wrap="truncate">{`The terminal is too small: ${state.columns}×${state.rows}, and ${smallest.columns}×${smallest.rows} is needed. q quits.`}</Text>
    );
  }
  const banner = shownBanner(state);
  return (
    <Box flexDirection="column" height={frameRows(state)} width={state.columns} overflow="hidden">
      <Part rows={1}>
        <Header state={state} />
      </Part>
      <Part rows={banner.length}>
        <Banner lines={banner} />
      </Part>
      <Part rows={bodyRows(state)}>
        <Body state={state} />
      </Part>
      <Part rows={dialogRows(state)}>
        {state.dialog === undefined ? undefined : <DialogView state={state} dialog={state.dialog} />}
      </Part>
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
        <Text
          key={text}
          {...(meaning === undefined
            ? { bold: true }
            : { inverse: meaning === state.view, dimColor: meaning !== state.view })}
        >
          {text}
        </Text>
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
        <Text
          key={stage.name}
        >{`  ${stage.ms === null ? '…' : '✓'} ${stage.name.padEnd(12)}${stage.ms === null ? '' : msText(stage.ms)}`}</Text>
      ))}
    </Box>
  );
}

const bannerStyles = { wrong, attention, dim: { dimColor: true } } as const;

function Banner({ lines }: { lines: readonly BannerLine[] }) {
  return (
    <Box flexDirection="column">
      {rowsOf(lines).map(({ row, item: { text, style } }) => (
        <Text key={row} wrap="truncate" {...(style === undefined ? {} : bannerStyles[style])}>
          {text}
        </Text>
      ))}
    </Box>
  );
}

function StatusBar({ state }: { state: UiState }) {
  const { overview, connection, dev, notice } = state;
  const away = connection === 'lost' ? 'engine away, reconnecting  ' : '';
  const engine =
    overview === undefined ? '  engine …' : `  engine up ${ageText(overview.engineStartedAt, state.nowMs)}`;
  const keys = keyTabs(state);
  const room = state.columns - tabsWidth(keys);
  const said = notice === undefined ? filterText(state) : plainText(notice.text);
  const worker =
    dev === undefined
      ? amount(overview?.workers ?? 0, 'worker')
      : `worker ${dev.worker}${dev.reloads > 0 ? ` (${amount(dev.reloads, 'reload')})` : ''}`;
  const load =
    overview === undefined
      ? ''
      : `  ${runsPerSecond(state)} runs/s  ${overview.queued} queued  ${overview.running} running`;
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

/** What hides rows of the view; of an open run and of marked ones, what can be done with them. */
function filterText(state: UiState): string {
  if (state.run !== undefined) return isTall(state) ? runHint(state.run) : '';
  if (state.view === 'runs' && state.marks.size > 0)
    return `${marksText(state)}: x cancels, R replays, esc takes the marks away  ${placeText(state)}`;
  const status = state.view === 'runs' && state.filter !== 'ALL' ? `status ${state.filter}` : '';
  const { text } = state.searches[state.view];
  const parts = [status, text === '' ? '' : `search ${text}`].filter((part) => part !== '');
  if (parts.length === 0) return state.view === 'runs' ? `${placeText(state)}  space marks, A marks all` : '';
  const problem = state.view === 'runs' ? askedQuery(state).problem : undefined;
  const place = state.view === 'runs' ? `  ${placeText(state)}` : '';
  return problem === undefined
    ? `only ${plainText(parts.join(', '))}; esc shows all again${place}`
    : plainText(problem);
}

/** Where the list stands: `12 of 500+`, with the plus where the engine has more than is loaded. */
function placeText(state: UiState): string {
  const rows = visibleRuns(state);
  if (rows.length === 0) return '';
  const at =
    Math.max(
      0,
      rows.findIndex((row) => row.runId === state.selected),
    ) + 1;
  const hasMore = (state.found === undefined ? state.older : state.found.next) !== null;
  return `${at.toLocaleString('en-US')} of ${rows.length.toLocaleString('en-US')}${hasMore ? '+' : ''}${state.found?.isLoading === true ? ' …' : ''}`;
}

function runsPerSecond(state: UiState): string {
  const [first] = state.rate;
  const last = state.rate.at(-1);
  if (first === undefined || last === undefined || last.atMs <= first.atMs || state.nowMs - last.atMs > 3_000)
    return '0';
  return (((last.finished - first.finished) * 1000) / (last.atMs - first.atMs)).toFixed(1);
}
