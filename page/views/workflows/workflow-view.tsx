import type { ReactNode } from 'react';
import type { WorkflowDetail } from '../../../cli/monitor/run-reader.ts';
import { filterWord, runHref, runsHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { navigate } from '../../address/navigation.ts';
import { workflowDetail } from '../../data/figure-messages.ts';
import { listFiltered } from '../../data/run-calls.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { useFeedback } from '../../parts/feedback.tsx';
import { Graph } from '../../parts/graph.tsx';
import { JsonView } from '../../parts/json-view.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { RunList } from '../../parts/run-list.tsx';
import { useKeys } from '../../hooks/keys.ts';
import { useFigures } from '../../hooks/figures.tsx';
import { DeleteButton } from './delete-button.tsx';
import { PauseButton, PausedMark } from './pause-button.tsx';
import { useTrigger } from './trigger-dialog.tsx';
import { TriggerForm } from './trigger-form.tsx';
import { ButtonKey } from '../../parts/icon.tsx';

const recentRuns = 20;
const recentMs = 3_000;

export function WorkflowView({ name }: { name: string }): ReactNode {
  const { overview } = useFigures();
  const { value, error, reload } = useAnswer(
    name,
    async (calls, signal) => workflowDetail(await calls.monitor('GetWorkflow', { name }, signal)),
    { version: overview?.workflowsRevision },
  );
  const trigger = useTrigger();
  useKeys({ t: () => trigger({ workflow: name }), Escape: () => navigate('/workflows') });
  return (
    <div className="view">
      <PageHead
        title={name}
        heading={
          <span className="row wrap">
            {name} {value === undefined ? null : <PausedMark paused={value.workflow.paused} />}
          </span>
        }
      >
        {value === undefined ? null : (
          <>
            <DeleteButton workflow={value.workflow} />
            <PauseButton workflow={value.workflow} onDone={reload} />
          </>
        )}
        <button type="button" className="primary" onClick={() => trigger({ workflow: name })}>
          Trigger <ButtonKey name="t" />
        </button>
      </PageHead>
      {error !== undefined ? <Failed error={error} onRetry={reload} /> : null}
      {value === undefined ? error === undefined ? <Skeleton /> : null : <Definition detail={value} />}
    </div>
  );
}

function Definition({ detail }: { detail: WorkflowDetail }): ReactNode {
  const { workflow, tasks, inputJsonSchema } = detail;
  const { tell } = useFeedback();
  const byName = new Map(tasks.map((task) => [task.name, task]));
  return (
    <div className="stack">
      {workflow.description === '' ? null : <p>{workflow.description}</p>}
      <section aria-label="Tasks">
        <h2>Tasks</h2>
        <Graph
          label="Tasks of the workflow"
          nodes={tasks}
          renderNode={(name) => {
            const task = byName.get(name);
            return (
              <>
                <span className="node-name">{name}</span>
                <span className="node-facts muted small">
                  {task?.durable === true ? 'durable · ' : ''}
                  {task?.retries ?? 0} {task?.retries === 1 ? 'retry' : 'retries'} · {task?.executionTimeout}
                </span>
              </>
            );
          }}
        />
      </section>
      <div className="columns">
        <section className="card">
          <h2>Trigger</h2>
          <TriggerForm
            workflow={detail}
            onTriggered={(runId) => {
              tell('Triggered.');
              navigate(runHref(runId));
            }}
          />
        </section>
        <RecentRuns workflow={workflow.name} />
      </div>
      {inputJsonSchema === null ? null : (
        <details className="card">
          <summary>Schema of the input</summary>
          <JsonView value={inputJsonSchema} name="the schema" />
        </details>
      )}
    </div>
  );
}

function RecentRuns({ workflow }: { workflow: string }): ReactNode {
  const { value, error } = useAnswer(
    `recent ${workflow}`,
    (calls, signal) => listFiltered(calls, { workflows: [workflow], limit: recentRuns }, signal),
    { everyMs: recentMs },
  );
  return (
    <section className="card stack">
      <header className="row spread">
        <h2>Recent runs</h2>
        <Link href={runsHref(filterWord('workflow', workflow))}>All its runs</Link>
      </header>
      {error !== undefined && value === undefined ? <Failed error={error} /> : null}
      {value === undefined ? (
        error === undefined ? (
          <Skeleton lines={4} />
        ) : null
      ) : value.rows.length === 0 ? (
        <Empty title="It has not run yet" />
      ) : (
        <RunList runs={value.rows} label={`Recent runs of ${workflow}`} />
      )}
    </section>
  );
}
