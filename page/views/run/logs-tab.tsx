import { useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import type { LogRow, RunDetail } from '../../../cli/monitor/run-reader.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { list } from '../../data/fields.ts';
import { logRow } from '../../data/run-messages.ts';
import { useFollow } from '../../hooks/use-follow.ts';
import { appended, keptLines, logLevels, logText, shownLines } from '../../model/shown-log.ts';
import { clockText, exactText } from '../../model/time-words.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { useChosenTask } from './chosen-task.ts';

const noLines: readonly LogRow[] = [];
/** So near the end a reader counts as being there. */
const nearEndPx = 40;

export function LogsTab({ detail }: { detail: RunDetail }): ReactNode {
  const { runId } = detail.run;
  const { lines, isRead, error } = useLogs(runId, detail.run.status);
  const { task, choose } = useChosenTask(detail);
  const [levels, setLevels] = useState<ReadonlySet<string>>(new Set());
  const [search, setSearch] = useState('');
  const [follows, setFollows] = useState(true);
  const shown = useMemo(
    () => shownLines(lines, { levels, search: search.trim(), taskId: task?.taskId ?? '' }),
    [lines, levels, search, task],
  );
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && follows) element.scrollTop = element.scrollHeight;
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- more lines make the box longer
  }, [shown, follows]);
  const onScroll = (): void => {
    const element = box.current;
    if (element === null) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < nearEndPx;
    if (isAtEnd !== follows) setFollows(isAtEnd);
  };
  const toggle = (level: string): void => {
    const next = new Set(levels);
    if (!next.delete(level)) next.add(level);
    setLevels(next);
  };
  return (
    <div className="stack">
      <div className="row wrap">
        <label className="search grow">
          <span className="hidden">Search in the log</span>
          <input
            type="search"
            data-filter
            placeholder="Search in the log"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
        <span className="row chips" role="group" aria-label="Levels">
          {logLevels.map((level) => (
            <button
              key={level}
              type="button"
              className={`chip level-${level.toLowerCase()}`}
              aria-pressed={levels.has(level)}
              onClick={() => toggle(level)}
            >
              {level}
            </button>
          ))}
        </span>
        {detail.tasks.length < 2 ? null : (
          <label className="inline-field">
            <span className="hidden">Task</span>
            <select
              value={task?.name ?? ''}
              onChange={(event) => choose(event.target.value === '' ? task?.name : event.target.value)}
            >
              <option value="">Every task</option>
              {detail.tasks.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label className="check">
          <input type="checkbox" checked={follows} onChange={(event) => setFollows(event.target.checked)} />
          <span>Follow</span>
        </label>
      </div>
      {error === undefined ? null : <Failed error={error} />}
      {lines.length === 0 ? (
        isRead || isTerminal(detail.run.status) ? (
          <Empty title="No log lines">
            <p>
              What a task writes with <code>ctx.log(…)</code> appears here.
            </p>
          </Empty>
        ) : (
          <Skeleton lines={4} />
        )
      ) : (
        <div
          ref={box}
          className="log scroll-box"
          tabIndex={0}
          role="log"
          aria-label="Log lines"
          aria-live="off"
          onScroll={onScroll}
        >
          {shown.map((line, index) => (
            <Line key={line.cursor === '' ? index : line.cursor} line={line} showsTask={detail.tasks.length > 1} />
          ))}
        </div>
      )}
      <p className="muted small">
        {shown.length.toLocaleString('en')} of {lines.length.toLocaleString('en')} lines
        {lines.length >= keptLines ? '; older ones are not kept here: read them with `hatchet runs logs`' : ''}
      </p>
    </div>
  );
}

function Line({ line, showsTask }: { line: LogRow; showsTask: boolean }): ReactNode {
  return (
    <div className={`log-line level-${line.level.toLowerCase()}`}>
      <time dateTime={line.time ?? undefined} title={exactText(line.time)}>
        {clockText(line.time)}
      </time>{' '}
      <span className="level">{line.level.padEnd(5)}</span>{' '}
      {showsTask ? <span className="muted">{line.task} </span> : null}
      {line.attempt > 0 ? <span className="muted">#{line.attempt + 1} </span> : null}
      <span className="message">{logText(line)}</span>
    </div>
  );
}

function useLogs(
  runId: string,
  status: RunDetail['run']['status'],
): { lines: readonly LogRow[]; isRead: boolean; error: Error | undefined } {
  const [lines, setLines] = useState<readonly LogRow[]>();
  const after = useRef<string>(undefined);
  // Of a run that goes on after its end, as by a replay, the lines that then come are read on a new stream.
  const error = useFollow(`logs ${runId} ${isTerminal(status)}`, {
    open: async function* (calls, reader) {
      const request = { id: runId, after: after.current };
      for await (const fields of calls.stream('StreamLogs', request, reader)) yield list(fields, 'lines', logRow);
    },
    onMessage: (more) => {
      const last = more.at(-1)?.cursor;
      if (last !== undefined && last !== '') after.current = last;
      setLines((before = []) => appended(before, more));
    },
    mayEnd: true,
  });
  return { lines: lines ?? noLines, isRead: lines !== undefined, error };
}
