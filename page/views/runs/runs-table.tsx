import { useEffect, useLayoutEffect, useRef, type ReactNode, type RefObject } from 'react';
import { useNarrow } from '../../parts/media.ts';
import { useScrollWindow } from '../../parts/use-scroll-window.ts';
import type { RunTable } from '../../model/run-table.ts';
import { scrollTo, visibleRows } from '../../model/visible-rows.ts';
import { RunTableRow } from './run-table-row.tsx';
import type { RunFeed } from './run-feed.ts';

/** As `--row-height` of the style sheet has it. */
const rowHeight = 40;
const cardHeight = 104;

const columns = [
  ['c-status', 'Status'],
  ['c-workflow', 'Workflow'],
  ['c-id', 'Run'],
  ['c-created', 'Created'],
  ['c-waiting figure', 'Waited'],
  ['c-running figure', 'Ran'],
  ['c-tasks figure', 'Tasks'],
  ['c-error', 'Error'],
] as const;

/** Thousands of rows, of which those in sight are drawn. */
export function RunsTable({
  feed,
  version,
  marked,
  current,
  onMark,
  onMarkAll,
  onChoose,
}: {
  feed: RunFeed;
  /** Of the table, which is changed in place. */
  version: number;
  marked: ReadonlySet<string>;
  current: string | undefined;
  onMark: (id: string) => void;
  onMarkAll: () => void;
  onChoose: (id: string) => void;
}): ReactNode {
  const { table, hasOlder, loadOlder } = feed;
  const box = useRef<HTMLDivElement>(null);
  const window = useScrollWindow(box);
  const height = useNarrow() ? cardHeight : rowHeight;
  const { start, end } = visibleRows(window, { rowHeight: height, rows: table.size });
  useAnchor({ table, version, box, height });
  useEffect(() => {
    if (hasOlder && end > table.size - 50) loadOlder();
  }, [hasOlder, end, table.size, loadOlder]);
  useEffect(() => {
    const element = box.current;
    const index = current === undefined ? -1 : table.indexOf(current);
    if (element === null || index < 0) return;
    element.scrollTop = scrollTo(index, { scrollTop: element.scrollTop, height: element.clientHeight }, height);
    // oxlint-disable-next-line react/exhaustive-deps -- the choice is followed, not the rows that come in above it
  }, [current]);
  const rows = Array.from({ length: end - start }, (_, offset) => table.at(start + offset));
  return (
    <div role="table" className="runs-table" aria-label="Runs" aria-rowcount={table.size + 1}>
      <div role="rowgroup" className="runs-head">
        <div role="row" aria-rowindex={1} className="run-row head">
          <span role="columnheader" className="c-mark">
            <input
              type="checkbox"
              aria-label="Mark all runs that are listed"
              checked={marked.size > 0 && marked.size >= table.size}
              onChange={onMarkAll}
            />
          </span>
          {columns.map(([name, title]) => (
            <span key={name} role="columnheader" className={name}>
              {title}
            </span>
          ))}
        </div>
      </div>
      <div ref={box} className="runs-scroll" tabIndex={0} aria-label="Rows of runs" role="rowgroup">
        <div className="runs-rows" role="presentation" style={{ height: table.size * height }}>
          {rows.map((run, offset) =>
            run === undefined ? null : (
              <RunTableRow
                key={run.runId}
                run={run}
                ariaIndex={start + offset + 2}
                top={(start + offset) * height}
                isMarked={marked.has(run.runId)}
                isCurrent={current === run.runId}
                onMark={onMark}
                onChoose={onChoose}
              />
            ),
          )}
        </div>
      </div>
    </div>
  );
}

/** Who has scrolled down keeps looking at the same rows while others come in above them. */
function useAnchor({
  table,
  version,
  box,
  height,
}: {
  table: RunTable;
  version: number;
  box: RefObject<HTMLDivElement | null>;
  height: number;
}): void {
  const anchor = useRef<{ id: string; index: number }>(undefined);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const { current } = anchor;
    const index = current === undefined ? -1 : table.indexOf(current.id);
    if (current !== undefined && index >= 0 && index !== current.index && element.scrollTop > 0)
      element.scrollBy(0, (index - current.index) * height);
    const remember = (): void => {
      const first = Math.floor(element.scrollTop / height);
      const run = table.at(first);
      anchor.current = run === undefined ? undefined : { id: run.runId, index: first };
    };
    remember();
    element.addEventListener('scroll', remember, { passive: true });
    return () => element.removeEventListener('scroll', remember);
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- the table is changed in place, which its version tells
  }, [table, version, box, height]);
}
