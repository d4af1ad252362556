import type { ReactNode } from 'react';
import type { RunDetail } from '../../../cli/monitor/run-reader.ts';
import { jsonText, plainLines } from '../../../cli/output/plain-text.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { filterWord, runHref, runsHref, workflowHref, type RunTab } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { ActionButton, type Action } from '../../parts/action-button.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Status } from '../../parts/status.tsx';
import { Ago, Took } from '../../parts/time.tsx';
import { isRecord } from '../../../cli/project/json-value.ts';
import { useTrigger } from '../workflows/trigger-dialog.tsx';
import { ButtonKey } from '../../parts/icon.tsx';

/** What a run is, and what can be done with it. */
export function RunHead({
  detail,
  tab,
  cancel,
  replay,
}: {
  detail: RunDetail;
  tab: RunTab;
  cancel: Action;
  replay: Action;
}): ReactNode {
  const { run } = detail;
  const trigger = useTrigger();
  const isOver = isTerminal(run.status);
  // The graph of one task shows the error with its stack.
  const error = tab === 'graph' && detail.tasks.length === 1 ? '' : (run.errorMessage ?? '');
  return (
    <>
      <PageHead
        title={`${run.workflow} run`}
        heading={
          <span className="row wrap">
            <Link href={workflowHref(run.workflow)}>{run.workflow}</Link>
            <Status status={run.status} />
          </span>
        }
      >
        <ActionButton needs="work" disabled={isOver} {...cancel}>
          Cancel <ButtonKey name="x" />
        </ActionButton>
        <ActionButton needs="work" disabled={!isOver} {...replay}>
          Replay <ButtonKey name="R" />
        </ActionButton>
        <button
          type="button"
          disabled={detail.inputLeftOutBytes !== undefined}
          title={detail.inputLeftOutBytes === undefined ? undefined : 'The input is too large to be edited here.'}
          onClick={() => trigger({ workflow: run.workflow, input: detail.input, metadata: ownMetadata(run.metadata) })}
        >
          Trigger again…
        </button>
      </PageHead>
      <dl className="facts">
        <div>
          <dt>Run</dt>
          <dd className="mono">
            {run.runId} <CopyButton text={run.runId} what="the id" />
          </dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <Ago at={run.createdAt} />
          </dd>
        </div>
        <div>
          <dt>Waited</dt>
          <dd>
            <Took from={run.createdAt} to={run.startedAt ?? run.finishedAt} />
          </dd>
        </div>
        <div>
          <dt>Ran</dt>
          <dd>{run.startedAt === null ? '–' : <Took from={run.startedAt} to={run.finishedAt} />}</dd>
        </div>
        <div>
          <dt>Tasks</dt>
          <dd>{detail.tasks.length}</dd>
        </div>
        <div>
          <dt>Priority</dt>
          <dd>{run.priority ?? '–'}</dd>
        </div>
        {run.parentRunId === null ? null : (
          <div>
            <dt>Parent</dt>
            <dd>
              <Link className="mono" href={runHref(run.parentRunId)}>
                {run.parentRunId}
              </Link>
            </dd>
          </div>
        )}
      </dl>
      <Metadata metadata={run.metadata} />
      {error === '' ? null : <pre className="error-text">{plainLines(error)}</pre>}
    </>
  );
}

/** Each pair leads to the runs that have it too. */
function Metadata({ metadata }: { metadata: unknown }): ReactNode {
  if (!isRecord(metadata) || Object.keys(metadata).length === 0) return null;
  return (
    <ul className="pairs" aria-label="Metadata">
      {Object.entries(metadata).map(([name, value]) => (
        <li key={name}>
          {typeof value === 'string' && !/[\s:"]/.test(name) ? (
            <Link href={runsHref(filterWord(name, value))} title="Runs with this pair">
              {name}: {value}
            </Link>
          ) : (
            <span>
              {name}: {typeof value === 'string' ? value : jsonText(value)}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Without what the engine put in: a new run is none of the event or cron that started this one. */
function ownMetadata(metadata: unknown): unknown {
  if (!isRecord(metadata)) return undefined;
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !name.startsWith('hatchet__')));
}
