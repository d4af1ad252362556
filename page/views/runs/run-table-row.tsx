import { memo, type ReactNode } from 'react';
import type { RunRow } from '../../../cli/monitor/run-reader.ts';
import { plainText } from '../../../cli/output/plain-text.ts';
import { runHref, workflowHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { Status } from '../../parts/status.tsx';
import { Ago, Took } from '../../parts/time.tsx';

/** Characters of an error that a row shows. */
const longestError = 200;

interface Props {
  run: RunRow;
  /** From 1, the heading included. */
  ariaIndex: number;
  top: number;
  isMarked: boolean;
  isCurrent: boolean;
  onMark: (id: string) => void;
  onChoose: (id: string) => void;
}

/** Drawn anew only where its run has changed. */
export const RunTableRow = memo(function RunTableRow(props: Props): ReactNode {
  const { run, ariaIndex, top, isMarked, isCurrent, onMark, onChoose } = props;
  return (
    <div
      role="row"
      id={`row-${run.runId}`}
      aria-rowindex={ariaIndex}
      className={`run-row${isCurrent ? ' current' : ''}${isMarked ? ' marked' : ''}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onChoose(run.runId)}
    >
      <span role="cell" className="c-mark">
        <input
          type="checkbox"
          aria-label={`Mark run ${run.runId}`}
          checked={isMarked}
          onChange={() => onMark(run.runId)}
        />
      </span>
      <span role="cell" className="c-status">
        <Status status={run.status} />
      </span>
      <span role="cell" className="c-workflow">
        <Link href={workflowHref(run.workflow)}>{run.workflow}</Link>
      </span>
      <span role="cell" className="c-id">
        <Link href={runHref(run.runId)} className="mono" title={run.runId}>
          {shortId(run.runId)}
        </Link>
      </span>
      <span role="cell" className="c-created">
        <Ago at={run.createdAt} />
      </span>
      <span role="cell" className="c-waiting figure">
        <span className="card-label">waited </span>
        <Took from={run.createdAt} to={run.startedAt ?? run.finishedAt} />
      </span>
      <span role="cell" className="c-running figure">
        <span className="card-label">ran </span>
        {run.startedAt === null ? <span className="muted">–</span> : <Took from={run.startedAt} to={run.finishedAt} />}
      </span>
      <span role="cell" className="c-tasks figure">
        {run.taskCount === 0 ? <span className="muted">–</span> : run.taskCount}
        <span className="card-label"> tasks</span>
      </span>
      <span role="cell" className="c-error" title={run.errorMessage ?? undefined}>
        {errorOf(run)}
      </span>
    </div>
  );
});

/** The start tells the time, the end which of that time: between them nothing that people tell ids apart by. */
export function shortId(id: string): string {
  return id.length === 36 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id;
}

function errorOf({ errorMessage, errorLeftOutBytes }: RunRow): string {
  if (errorMessage !== null && errorMessage !== '') return plainText(errorMessage.slice(0, longestError));
  return errorLeftOutBytes === undefined ? '' : `an error of ${errorLeftOutBytes.toLocaleString('en')} bytes`;
}
