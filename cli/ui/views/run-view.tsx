import { Box, Text } from 'ink';
import type { RunDetail } from '../../monitor/run-reader.ts';
import { runFailure, runOutput } from '../../monitor/run-output.ts';
import { isTerminal } from '../../monitor/status-name.ts';
import { eventLine, logLineText } from '../../output/event-line.ts';
import { leftOutLines } from '../../output/left-out.ts';
import { jsonText, plainLines, plainText } from '../../output/plain-text.ts';
import { causeText } from '../../output/cause-text.ts';
import { ageText, spanText } from '../../output/span-text.ts';
import { fit, pad } from '../../output/table.ts';
import { bodyRows } from '../model/layout.ts';
import { dagPicture, type Picture } from '../model/dag-picture.ts';
import { panesOf } from '../model/open-run.ts';
import type { OpenRun, panes, UiState } from '../model/ui-state.ts';
import { waterfall } from '../model/waterfall.ts';
import { DurablePane } from './durable-pane.tsx';
import { statusColor, statusMark } from './status-style.ts';
import { rowsOf } from './rows-of.ts';

export function RunView({ state, run }: { state: UiState; run: OpenRun }) {
  const { detail } = run;
  if (run.missing) return <Text>{`\n  There is no run ${run.runId}. esc goes back.`}</Text>;
  if (detail === undefined) return <Text dimColor>{`\n  reading ${run.runId} …`}</Text>;
  const failure = detail.run.status === 'FAILED' ? plainText(runFailure(detail).split('\n')[0] ?? '') : '';
  const room = bodyRows(state) - (failure === '' ? 3 : 4);
  const pictureRows = Math.max(1, Math.min(9, Math.floor(room / 3)));
  const picture = detail.tasks.length > 1 ? pictureOf(detail, { columns: state.columns - 2, rows: pictureRows }) : undefined;
  const bars = Math.max(1, Math.min(detail.tasks.length, Math.floor(room / 3)));
  const paneRows = Math.max(3, room - (picture === undefined ? 0 : picture.length + 1) - bars - 2);
  return (
    <Box flexDirection="column">
      <Head detail={detail} nowMs={state.nowMs} />
      {failure === '' ? undefined : <Text wrap="truncate" color={statusColor.FAILED}>{` ${failure}`}</Text>}
      {picture === undefined ? undefined : <Dag picture={picture} detail={detail} />}
      <Waterfall detail={detail} state={state} rows={bars} />
      <Pane state={state} run={run} detail={detail} rows={paneRows} />
    </Box>
  );
}

function Head({ detail, nowMs }: { detail: RunDetail; nowMs: number }) {
  const { run } = detail;
  return (
    <Text wrap="truncate">
      <Text color={statusColor[run.status]} bold>
        {`${statusMark[run.status]} ${run.status} `}
      </Text>
      <Text bold>{plainText(run.workflow)}</Text>
      {`  ${run.runId}  ${ageText(run.createdAt, nowMs)} ago, took ${spanText(run.createdAt, run.finishedAt, nowMs)}`}
    </Text>
  );
}

function pictureOf(detail: RunDetail, size: { columns: number; rows: number }): Picture | undefined {
  return dagPicture(
    detail.tasks.map((task) => ({ name: plainText(task.name), parents: task.parents.map(plainText), mark: statusMark[task.status] })),
    size,
  );
}

function Dag({ picture, detail }: { picture: Picture; detail: RunDetail }) {
  const statuses = new Map(detail.tasks.map((task) => [plainText(task.name), task.status]));
  return (
    <Box flexDirection="column" marginBottom={1}>
      {rowsOf(picture).map(({ row, item: line }) => (
        <Text key={row} wrap="truncate">
          {' '}
          {rowsOf(line).map(({ row: column, item: segment }) => {
            const status = segment.node === undefined ? undefined : statuses.get(segment.node);
            return status === undefined ? <Text key={column} dimColor>{segment.text}</Text> : <Text key={column} color={statusColor[status]}>{segment.text}</Text>;
          })}
        </Text>
      ))}
    </Box>
  );
}

function Waterfall({ detail, state, rows }: { detail: RunDetail; state: UiState; rows: number }) {
  const nameWidth = Math.min(20, Math.max(4, ...detail.tasks.map((task) => task.name.length)));
  const width = Math.max(10, state.columns - nameWidth - 18);
  const lines = waterfall(detail.tasks, { width, nowMs: state.nowMs });
  const shown = lines.length > rows ? lines.slice(0, rows - 1) : lines;
  return (
    <Box flexDirection="column">
      {shown.map(({ name, status, bar, took }) => (
        <Text key={name} wrap="truncate">
          {` ${statusMark[status]} ${pad(fit(plainText(name), nameWidth), nameWidth)} ${' '.repeat(bar.before)}`}
          <Text dimColor>{'·'.repeat(bar.waiting)}</Text>
          <Text color={statusColor[status]}>{'█'.repeat(bar.running)}</Text>
          {` ${took}`}
        </Text>
      ))}
      {shown.length < lines.length ? <Text dimColor>{`   and ${lines.length - shown.length} more tasks`}</Text> : undefined}
    </Box>
  );
}

const paneTitles: Readonly<Record<(typeof panes)[number], string>> = { durable: '[d]urable', events: '[e]vents', logs: '[l]ogs', input: '[i]nput', output: '[o]utput', why: '[w]hy' };

function Pane({ state, run, detail, rows }: { state: UiState; run: OpenRun; detail: RunDetail; rows: number }) {
  const lines = paneLines(run, detail, state.columns);
  const last = Math.max(0, lines.length - rows);
  const start = run.scroll === null ? last : Math.min(run.scroll, last);
  const position = lines.length > rows ? `  ${start + 1}–${Math.min(lines.length, start + rows)} of ${lines.length}` : '';
  return (
    <Box flexDirection="column" marginTop={1}>
      <Text wrap="truncate">
        {panesOf(run).map((pane) => (
          <Text key={pane} bold={pane === run.pane} underline={pane === run.pane} dimColor={pane !== run.pane}>
            {`${pane === run.pane ? '▸' : ' '}${paneTitles[pane]}`}
          </Text>
        )).flatMap((title, index) => (index === 0 ? [title] : [' ', title]))}
        <Text dimColor>{position}</Text>
      </Text>
      {run.pane === 'durable' ? <DurablePane state={state} run={run} rows={rows} /> : undefined}
      {rowsOf(lines.slice(start, start + rows), start).map(({ row, item: line }) => (
        <Text key={row} wrap="truncate">{` ${line}`}</Text>
      ))}
      {lines.length === 0 && run.pane !== 'durable' ? <Text dimColor> nothing yet</Text> : undefined}
    </Box>
  );
}

function paneLines(run: OpenRun, detail: RunDetail, columns: number): readonly string[] {
  switch (run.pane) {
    case 'durable':
      return []; // drawn by a view of its own
    case 'events':
      return run.events.map((event) => eventLine(event));
    case 'logs':
      return run.logs.map(logLineText);
    case 'input':
      return wrap([jsonText(detail.input, 2), ...leftOutLines({ ...detail, tasks: [] })].join('\n'), columns);
    case 'output':
      return wrap([outputText(detail), ...leftOutLines(detail)].filter((text) => text !== '').join('\n'), columns);
    case 'why':
      return wrap(whyText(detail), columns);
  }
}

/** What each unfinished task waits for. */
function whyText(detail: RunDetail): string {
  if (isTerminal(detail.run.status)) return `It waits for nothing: the run is ${detail.run.status}.`;
  return detail.tasks.flatMap((task) => (task.cause === null ? [] : [`${task.name}: ${causeText(task.cause)}`])).join('\n');
}

function outputText(detail: RunDetail): string {
  const { status } = detail.run;
  if (status === 'COMPLETED') return jsonText(runOutput(detail), 2);
  const stacks = detail.tasks.flatMap((task) => (task.errorStack === null || task.errorStack === '' ? [] : [task.errorStack]));
  if (status === 'FAILED') return [runFailure(detail), ...stacks].join('\n\n');
  const partial = detail.tasks.filter((task) => task.output !== null).map((task) => [task.name, task.output]);
  return partial.length === 0 ? '' : jsonText(Object.fromEntries(partial), 2);
}

function wrap(text: string, columns: number): string[] {
  const width = Math.max(20, columns - 2);
  if (text === '') return [];
  return plainLines(text)
    .split('\n')
    .flatMap((line) => {
      const spaced = line.replaceAll('\t', '  ');
      return spaced.length <= width ? [spaced] : Array.from({ length: Math.ceil(spaced.length / width) }, (_, index) => spaced.slice(index * width, (index + 1) * width));
    });
}
