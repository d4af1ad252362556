import { useState, type ReactNode } from 'react';
import type { TaskRow } from '../../../cli/monitor/run-reader.ts';
import { plainLines } from '../../../cli/output/plain-text.ts';
import { getWholeTask, replayRuns } from '../../data/run-calls.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { JsonView } from '../../parts/json-view.tsx';
import { Status } from '../../parts/status.tsx';
import { Ago, Took } from '../../parts/time.tsx';
import { useCalls } from '../../session/session.ts';
import { Cause } from './cause.tsx';

/** One task of a run: where it is, what came of it, and why it waits. */
export function TaskPanel({
  runId,
  task: given,
  onChanged,
}: {
  runId: string;
  task: TaskRow;
  onChanged: () => void;
}): ReactNode {
  const calls = useCalls();
  const [whole, setWhole] = useState<TaskRow>();
  const isCut = given.outputLeftOutBytes !== undefined || given.errorLeftOutBytes !== undefined;
  const task = isCut && whole !== undefined ? { ...given, ...whole } : given;
  const readWhole = async (): Promise<undefined> => {
    const detail = await getWholeTask(calls, runId, given.taskId);
    setWhole(detail.tasks.find((each) => each.taskId === given.taskId));
    return undefined;
  };
  return (
    <section className="card stack" aria-label={`Task ${task.name}`}>
      <header className="row spread wrap">
        <h2 className="row">
          {task.name} <Status status={task.status} />
        </h2>
        <span className="row">
          {isTerminal(task.status) ? (
            <ActionButton
              needs="work"
              onAction={async () => {
                const count = await replayRuns(calls, [task.taskId]);
                onChanged();
                return count === 0 ? 'There was nothing to run again.' : `${task.name} runs again.`;
              }}
            >
              Replay this task
            </ActionButton>
          ) : null}
        </span>
      </header>
      <dl className="facts">
        <Fact name="Attempt">
          {task.attempt + 1}
          {task.retries === null ? '' : ` of ${task.retries + 1}`}
        </Fact>
        <Fact name="Queued">
          <Ago at={task.queuedAt} />
        </Fact>
        <Fact name="Waited">
          <Took from={task.queuedAt} to={task.startedAt ?? task.finishedAt} />
        </Fact>
        <Fact name="Ran">{task.startedAt === null ? '–' : <Took from={task.startedAt} to={task.finishedAt} />}</Fact>
        <Fact name="Worker">{task.workerName ?? task.workerId ?? '–'}</Fact>
        <Fact name="Task id">
          <span className="mono">{task.taskId}</span> <CopyButton text={task.taskId} what="the task’s id" />
        </Fact>
      </dl>
      {task.cause === null ? null : <Cause cause={task.cause} />}
      {task.errorMessage === null || task.errorMessage === '' ? null : (
        <div>
          <h3>Error</h3>
          <pre className="error-text">{plainLines(task.errorMessage)}</pre>
          {task.errorStack === null || task.errorStack === '' ? null : (
            <details>
              <summary>Stack</summary>
              <pre className="error-text muted">{plainLines(task.errorStack)}</pre>
            </details>
          )}
        </div>
      )}
      {isCut && whole === undefined ? (
        <p className="row">
          <span className="muted">
            {((given.outputLeftOutBytes ?? 0) + (given.errorLeftOutBytes ?? 0)).toLocaleString('en')} bytes were too
            many to come with the others.
          </span>
          <ActionButton needs="read" onAction={readWhole}>
            Read them
          </ActionButton>
        </p>
      ) : null}
      {task.status === 'COMPLETED' && (!isCut || whole !== undefined) ? (
        <div>
          <h3>Output</h3>
          <JsonView value={task.output} name="the output" />
        </div>
      ) : null}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
