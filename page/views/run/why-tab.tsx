import type { ReactNode } from 'react';
import type { RunDetail } from '../../../cli/monitor/run-reader.ts';
import { Empty } from '../../parts/blank.tsx';
import { Status } from '../../parts/status.tsx';
import { Cause } from './cause.tsx';

export function WhyTab({ detail }: { detail: RunDetail }): ReactNode {
  const waiting = detail.tasks.flatMap((task) => (task.cause === null ? [] : [{ task, cause: task.cause }]));
  if (waiting.length === 0)
    return (
      <Empty title="Nothing waits">
        <p>The run is {detail.run.status.toLowerCase()}.</p>
      </Empty>
    );
  return (
    <ul className="stack plain">
      {waiting.map(({ task, cause }) => (
        <li key={task.taskId} className="card">
          <h2 className="row">
            {task.name} <Status status={task.status} />
          </h2>
          <Cause cause={cause} />
        </li>
      ))}
    </ul>
  );
}
