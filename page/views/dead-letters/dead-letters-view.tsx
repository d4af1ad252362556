import { useMemo, useState, type ReactNode } from 'react';
import type { RunRow } from '../../../cli/monitor/run-reader.ts';
import { plainText } from '../../../cli/output/plain-text.ts';
import { runHref } from '../../address/address.ts';
import { Link } from '../../address/link.tsx';
import { getRun, listFiltered, replayRuns } from '../../data/run-calls.ts';
import { useAnswer } from '../../hooks/use-answer.ts';
import { errorGroups, type ErrorGroup } from '../../model/error-groups.ts';
import { ActionButton } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { useFeedback } from '../../parts/feedback.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useRowCursor } from '../../parts/row-cursor.ts';
import { SearchField } from '../../parts/search-field.tsx';
import { Ago } from '../../parts/time.tsx';
import { useCalls } from '../../session/session.ts';
import { bulkAction } from '../runs/bulk-action.ts';
import { useTrigger } from '../workflows/trigger-dialog.tsx';
import { FoldIcon } from '../../parts/icon.tsx';

const pageSize = 1_000;
/** Failed runs that are read, newest first. */
const mostRuns = 5_000;
const everyMs = 10_000;
const shownOfGroup = 50;

/** Runs that failed and are tried no more by themselves, by what their errors say. */
export function DeadLettersView(): ReactNode {
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<string>();
  const { value, error, reload } = useAnswer(
    'dead letters',
    async (calls, signal) => {
      const rows: RunRow[] = [];
      for (let page: string | undefined; rows.length < mostRuns;) {
        const answer = await listFiltered(
          calls,
          { statuses: ['FAILED'], limit: pageSize, ...(page === undefined ? {} : { page }) },
          signal,
        );
        rows.push(...answer.rows);
        if (answer.next === null) return { rows, isAll: true };
        page = answer.next;
      }
      return { rows, isAll: false };
    },
    { everyMs },
  );
  const groups = useMemo(() => errorGroups(value?.rows ?? []), [value]);
  const wanted = search.trim().toLowerCase();
  const shown = groups.filter(({ workflow, pattern }) => `${workflow} ${pattern}`.toLowerCase().includes(wanted));
  const toggle = (key: string): void => setOpen(open === key ? undefined : key);
  const cursor = useRowCursor(
    shown.map(({ key }) => key),
    { Enter: toggle },
  );
  return (
    <div className="view">
      <PageHead title="Dead letters" />
      <SearchField label="Search workflows and errors" value={search} onChange={setSearch} />
      {error !== undefined && value === undefined ? <Failed error={error} onRetry={reload} /> : null}
      {value === undefined ? (
        error === undefined ? (
          <Skeleton />
        ) : null
      ) : shown.length === 0 ? (
        <Empty title={groups.length === 0 ? 'No run has failed' : 'No error fits'}>
          {groups.length === 0 ? (
            <p>Runs whose tasks failed for good appear here, by what their errors say.</p>
          ) : undefined}
        </Empty>
      ) : (
        <>
          <p className="muted">
            {value.rows.length.toLocaleString('en')} failed {value.rows.length === 1 ? 'run' : 'runs'} with{' '}
            {groups.length.toLocaleString('en')} different {groups.length === 1 ? 'error' : 'errors'}
            {value.isAll ? '.' : '; only the newest are read.'}
          </p>
          <ul className="plain stack-small" aria-label="Errors">
            {shown.map((group) => (
              <Group
                key={group.key}
                group={group}
                isOpen={open === group.key}
                isCurrent={cursor.current === group.key}
                onToggle={() => toggle(group.key)}
                onReplayed={reload}
              />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Group({
  group,
  isOpen,
  isCurrent,
  onToggle,
  onReplayed,
}: {
  group: ErrorGroup;
  isOpen: boolean;
  isCurrent: boolean;
  onToggle: () => void;
  onReplayed: () => void;
}): ReactNode {
  const calls = useCalls();
  const { key, workflow, pattern, runs } = group;
  const replayAll = bulkAction(
    'replay',
    runs.map(({ runId }) => runId),
    { carryOut: (ids) => replayRuns(calls, ids), done: onReplayed },
  );
  return (
    <li id={`row-${key}`} className={`card stack${isCurrent ? ' current' : ''}`}>
      <div className="row spread wrap">
        <button type="button" className="fold group-head" aria-expanded={isOpen} onClick={onToggle}>
          <FoldIcon isOpen={isOpen} /> <span className="count">{runs.length.toLocaleString('en')}</span>{' '}
          <strong>{workflow}</strong> <span className="mono">{plainText(pattern)}</span>
        </button>
        <span className="row">
          <span className="muted">
            newest <Ago at={runs[0]?.createdAt ?? null} />
          </span>
          <ActionButton needs="work" className="small" label={`Replay all of ${workflow}: ${pattern}`} {...replayAll}>
            Replay all
          </ActionButton>
        </span>
      </div>
      {isOpen ? (
        <ul className="plain stack-small" aria-label={`Runs with this error of ${workflow}`}>
          {runs.slice(0, shownOfGroup).map((run) => (
            <Letter key={run.runId} run={run} onReplayed={onReplayed} />
          ))}
          {runs.length > shownOfGroup ? (
            <li className="muted">and {(runs.length - shownOfGroup).toLocaleString('en')} older ones</li>
          ) : null}
        </ul>
      ) : null}
    </li>
  );
}

function Letter({ run, onReplayed }: { run: RunRow; onReplayed: () => void }): ReactNode {
  const calls = useCalls();
  const trigger = useTrigger();
  const { fail } = useFeedback();
  const edit = async (): Promise<void> => {
    try {
      const detail = await getRun(calls, run.runId);
      if (detail.inputLeftOutBytes !== undefined) throw new Error('The input is too large to be edited here.');
      trigger({ workflow: run.workflow, input: detail.input });
    } catch (error) {
      fail(error);
    }
  };
  return (
    <li className="letter">
      <div className="row spread wrap">
        <span className="row">
          <Link href={runHref(run.runId)} className="mono" title={run.runId}>
            …{run.runId.slice(-8)}
          </Link>
          <span className="muted">
            <Ago at={run.createdAt} />
          </span>
        </span>
        <span className="row">
          <button type="button" className="small" onClick={() => void edit()}>
            Edit input and trigger…
          </button>
          <ActionButton
            needs="work"
            className="small"
            {...bulkAction('replay', [run.runId], { carryOut: (ids) => replayRuns(calls, ids), done: onReplayed })}
          >
            Replay
          </ActionButton>
        </span>
      </div>
      <div className="small mono break">{plainText((run.errorMessage ?? '').slice(0, 500))}</div>
    </li>
  );
}
