import { Box, Text } from 'ink';
import stringWidth from 'string-width';
import type { RunDetail } from '../../monitor/run-reader.ts';
import { runFailure } from '../../monitor/run-output.ts';
import { plainText } from '../../output/plain-text.ts';
import { ageText, spanText } from '../../output/time-text.ts';
import { fit, pad } from '../../output/table.ts';
import { chosenTask, isInPane } from '../model/run/chosen-task.ts';
import type { Picture } from '../model/run/dag-picture.ts';
import { paneTabs } from '../model/run/pane-tabs.ts';
import { paneLines } from '../model/run/pane-lines.ts';
import { runLayout, shownTasks } from '../model/run/run-layout.ts';
import { waterfall } from '../model/run/waterfall.ts';
import { statusMark } from '../model/status-mark.ts';
import type { OpenRun, UiState } from '../model/ui-state.ts';
import { DurablePane } from './durable-pane.tsx';
import { rowsOf } from './rows-of.ts';
import { statusStyle, wrong } from './styles.ts';

export function RunView({ state, run }: { state: UiState; run: OpenRun }) {
  const { detail } = run;
  if (run.missing) return <Text>{`There is no run ${run.runId}. esc goes back.`}</Text>;
  if (detail === undefined) return <Text dimColor>{`reading ${run.runId} …`}</Text>;
  const { hasFailure, picture, hasGaps, taskRows, paneRows } = runLayout(state, run);
  return (
    <Box flexDirection="column">
      <Head run={run} detail={detail} state={state} />
      {hasFailure ? (
        <Text wrap="truncate" {...wrong}>{` ${plainText(runFailure(detail).split('\n')[0] ?? '')}`}</Text>
      ) : undefined}
      {picture === undefined ? undefined : <Dag picture={picture} run={run} detail={detail} />}
      {taskRows === 0 ? undefined : <Tasks run={run} state={state} rows={taskRows} />}
      {hasGaps ? <Text> </Text> : undefined}
      <Pane state={state} run={run} rows={paneRows} />
    </Box>
  );
}

/** Cells of the head for all but the status, the name and the id: the longest times, such as 59 m 59 s, among them. */
const besideHead = 38;

/** The whole run stands above its tasks, and can be chosen as they are. */
function Head({ run: open, detail, state: { columns, nowMs } }: { run: OpenRun; detail: RunDetail; state: UiState }) {
  const { run } = detail;
  const isChosen = detail.tasks.length > 1 && chosenTask(open) === undefined;
  // y copies it whole. The times, which change, go before it.
  const besideId = stringWidth(`${run.status}${plainText(run.workflow)}`) + besideHead;
  const id = columns < besideId + run.runId.length ? `${run.runId.slice(0, 8)}…${run.runId.slice(-4)}` : run.runId;
  return (
    <Text wrap="truncate">
      {detail.tasks.length > 1 ? (isChosen ? '▸' : ' ') : ''}
      <Text {...statusStyle[run.status]} bold>
        {`${statusMark[run.status]} ${run.status} `}
      </Text>
      <Text bold inverse={isChosen && !isInPane(open)}>
        {plainText(run.workflow)}
      </Text>
      {`  ${id}  ${ageText(run.createdAt, nowMs)} ago, took ${spanText(run.createdAt, run.finishedAt, nowMs)}`}
    </Text>
  );
}

function Dag({ picture, run, detail }: { picture: Picture; run: OpenRun; detail: RunDetail }) {
  const statuses = new Map(detail.tasks.map((task) => [plainText(task.name), task.status]));
  const chosen = chosenTask(run);
  return (
    <Box flexDirection="column" marginBottom={1}>
      {rowsOf(picture).map(({ row, item: line }) => (
        <Text key={row} wrap="truncate">
          {' '}
          {rowsOf(line).map(({ row: column, item: segment }) => {
            const status = segment.node === undefined ? undefined : statuses.get(segment.node);
            return status === undefined ? (
              <Text key={column} dimColor>
                {segment.text}
              </Text>
            ) : (
              <Text
                key={column}
                {...statusStyle[status]}
                inverse={chosen !== undefined && segment.node === plainText(chosen.name)}
              >
                {segment.text}
              </Text>
            );
          })}
        </Text>
      ))}
    </Box>
  );
}

/** Cells beside a task's name and its bar: cursor, mark, spaces, and how long it took. */
const besideBar = 18;

function Tasks({ run, state, rows }: { run: OpenRun; state: UiState; rows: number }) {
  const { tasks, start, total } = shownTasks(state, run, rows);
  const chosen = total > 1 ? chosenTask(run) : undefined;
  const nameWidth = Math.min(20, Math.max(4, ...tasks.map((task) => task.name.length)), Math.floor(state.columns / 3));
  // On one scale with those that are not drawn.
  const lines = waterfall(run.detail?.tasks ?? [], {
    width: Math.max(2, state.columns - nameWidth - besideBar),
    nowMs: state.nowMs,
  });
  return (
    <Box flexDirection="column">
      {tasks.map((task) => {
        const line = lines[run.detail?.tasks.indexOf(task) ?? 0];
        const { bar = { before: 0, waiting: 0, running: 0 }, took = '' } = line ?? {};
        const isChosen = task === chosen;
        return (
          <Text key={task.taskId} wrap="truncate">
            {isChosen ? '▸' : ' '}
            <Text {...statusStyle[task.status]}>{statusMark[task.status]}</Text>{' '}
            <Text bold={isChosen} inverse={isChosen && !isInPane(run)}>
              {pad(fit(plainText(task.name), nameWidth), nameWidth)}
            </Text>
            {` ${' '.repeat(bar.before)}`}
            <Text dimColor>{'·'.repeat(bar.waiting)}</Text>
            <Text {...statusStyle[task.status]}>{'█'.repeat(bar.running)}</Text>
            {` ${took}`}
          </Text>
        );
      })}
      {tasks.length < total && rows > 1 ? (
        <Text dimColor wrap="truncate">{`   ${start + 1}–${start + tasks.length} of ${total} tasks`}</Text>
      ) : undefined}
    </Box>
  );
}

function Pane({ state, run, rows }: { state: UiState; run: OpenRun; rows: number }) {
  const lines = paneLines(state, run);
  const last = Math.max(0, lines.length - rows);
  const start = run.scroll === null ? last : Math.min(run.scroll, last);
  const position =
    lines.length > rows ? `  ${start + 1}–${Math.min(lines.length, start + rows)} of ${lines.length}` : '';
  const isFocused = isInPane(run);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {paneTabs(state, run).map(({ meaning: pane, text }) => (
          <Text
            key={pane}
            bold={pane === run.pane}
            underline={pane === run.pane}
            inverse={pane === run.pane && isFocused && (run.detail?.tasks.length ?? 0) > 1}
            dimColor={pane !== run.pane}
          >
            {text}
          </Text>
        ))}
        <Text dimColor>{position}</Text>
      </Text>
      {run.pane === 'durable' ? <DurablePane state={state} run={run} rows={rows} /> : undefined}
      {rowsOf(lines.slice(start, start + rows), start).map(({ row, item: line }) => (
        <Text key={row} wrap="truncate">{` ${line}`}</Text>
      ))}
      {lines.length === 0 && run.pane !== 'durable' ? (
        <Text dimColor wrap="truncate">{` ${run.pane === 'failure' ? 'nothing failed' : 'nothing yet'}`}</Text>
      ) : undefined}
    </Box>
  );
}
