import { useMemo, type ReactNode } from 'react';
import type { RunDetail, TaskRow } from '../../../cli/monitor/run-reader.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { Graph } from '../../parts/graph.tsx';
import { StatusIcon } from '../../parts/icon.tsx';
import { Took } from '../../parts/time.tsx';
import { ChildRuns } from './child-runs.tsx';
import { useChosenTask } from './chosen-task.ts';
import { TaskPanel } from './task-panel.tsx';

export function GraphTab({ detail, onChanged }: { detail: RunDetail; onChanged: () => void }): ReactNode {
  const { task, choose } = useChosenTask(detail);
  const byName = useMemo(() => new Map(detail.tasks.map((each) => [each.name, each])), [detail.tasks]);
  // The one task of a run needs no choice.
  const shown = task ?? (detail.tasks.length === 1 ? detail.tasks[0] : undefined);
  return (
    <div className="stack">
      {detail.tasks.length === 1 ? null : (
        <Graph
          label="Tasks of the run"
          nodes={detail.tasks}
          chosen={task?.name}
          onChoose={choose}
          statusOf={(name) => byName.get(name)?.status.toLowerCase() ?? ''}
          renderNode={(name) => <TaskNode task={byName.get(name)} />}
        />
      )}
      {shown === undefined ? (
        <p className="muted">Choose a task to see its attempt, worker, error and output.</p>
      ) : (
        <TaskPanel key={shown.taskId} runId={detail.run.runId} task={shown} onChanged={onChanged} />
      )}
      <ChildRuns runId={detail.run.runId} isOver={isTerminal(detail.run.status)} />
    </div>
  );
}

function TaskNode({ task }: { task: TaskRow | undefined }): ReactNode {
  if (task === undefined) return null;
  const { status, name, attempt } = task;
  return (
    <>
      <span className="node-name">
        <span className={`status ${status.toLowerCase()}`}>
          <StatusIcon status={status} />
        </span>{' '}
        {name}
      </span>
      <span className="node-facts muted small">
        {status.toLowerCase()}
        {attempt > 0 ? ` · attempt ${attempt + 1}` : ''}
        {task.startedAt === null ? (
          ''
        ) : (
          <>
            {' · '}
            <Took from={task.startedAt} to={task.finishedAt} />
          </>
        )}
      </span>
    </>
  );
}
