import type { ReactNode } from 'react';
import type { RunRow } from '../../cli/monitor/run-reader.ts';
import { runHref } from '../address/address.ts';
import { Link } from '../address/link.tsx';
import { Status } from './status.tsx';
import { Ago, Took } from './time.tsx';

/** A few runs, one a line. */
export function RunList({
  runs,
  label,
  showsWorkflow = false,
}: {
  runs: readonly RunRow[];
  label: string;
  showsWorkflow?: boolean;
}): ReactNode {
  return (
    <ul className="run-list plain" aria-label={label}>
      {runs.map((run) => (
        <li key={run.runId}>
          <Status status={run.status} />
          <Link href={runHref(run.runId)} className="mono" title={run.runId}>
            {showsWorkflow ? run.workflow : `…${run.runId.slice(-8)}`}
          </Link>
          <span className="muted">
            <Ago at={run.createdAt} />
          </span>
          <span className="figure">
            {run.startedAt === null ? '' : <Took from={run.startedAt} to={run.finishedAt} />}
          </span>
        </li>
      ))}
    </ul>
  );
}
