import { useCallback, useState, type ReactNode } from 'react';
import { isTerminal } from '../../../cli/status-name.ts';
import { runHref, runsHref } from '../../address/address.ts';
import { navigate } from '../../address/navigation.ts';
import { cancelRuns, replayRuns } from '../../data/run-calls.ts';
import { useWorkflowNames } from '../../hooks/use-workflows.ts';
import { ActionButton, useAction } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { useCopy } from '../../parts/copy-button.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { useCalls } from '../../session/session.ts';
import { useKeys } from '../../hooks/keys.ts';
import { useTrigger } from '../workflows/trigger-dialog.tsx';
import { bulkAction, type Deed } from './bulk-action.ts';
import { RunsFilter } from './runs-filter.tsx';
import { RunsTable } from './runs-table.tsx';
import { useRuns } from './use-runs.ts';
import { ButtonKey } from '../../parts/icon.tsx';

const noMarks: ReadonlySet<string> = new Set();

export function RunsView({ filter }: { filter: string }): ReactNode {
  const { feed, version, error } = useRuns(filter);
  const { table, query, isRead } = feed;
  const calls = useCalls();
  const workflows = useWorkflowNames();
  const [current, setCurrent] = useState<string>();
  const [marks, setMarks] = useState<{ of: string; ids: ReadonlySet<string> }>({ of: filter, ids: noMarks });
  // Marks are of what the filter shows: another one begins without.
  const marked = marks.of === filter ? marks.ids : noMarks;
  const mark = useCallback(
    (id: string) =>
      setMarks((before) => {
        const ids = new Set(before.of === filter ? before.ids : noMarks);
        if (!ids.delete(id)) ids.add(id);
        return { of: filter, ids };
      }),
    [filter],
  );
  const markAll = (): void => setMarks({ of: filter, ids: marked.size >= table.size ? noMarks : new Set(table.ids()) });
  const onFilter = useCallback((next: string) => navigate(runsHref(next), { replace: true }), []);
  const trigger = useTrigger();
  const copy = useCopy();
  const act = useAction();
  const chosen = marked.size > 0 ? [...marked] : current === undefined ? [] : [current];
  const deed = (name: Deed): ReturnType<typeof bulkAction> =>
    bulkAction(name, chosen, {
      done: () => setMarks({ of: filter, ids: noMarks }),
      carryOut: (ids) => (name === 'cancel' ? cancelRuns(calls, ids) : replayRuns(calls, ids)),
    });
  const move = (step: number): void => {
    const at = current === undefined ? -1 : table.indexOf(current);
    const next = table.at(at < 0 ? 0 : Math.max(0, Math.min(table.size - 1, at + step)));
    if (next !== undefined) setCurrent(next.runId);
  };
  const own = current !== undefined && table.get(current) !== undefined ? current : undefined;
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: own === undefined ? undefined : () => navigate(runHref(own)),
    ' ': own === undefined ? undefined : () => mark(own),
    y: own === undefined ? undefined : () => copy(own, 'the id'),
    R: chosen.length === 0 ? undefined : () => void act(deed('replay')),
    x: chosen.length === 0 ? undefined : () => void act(deed('cancel')),
    Escape: marked.size === 0 ? undefined : () => setMarks({ of: filter, ids: noMarks }),
  });
  const running = [...marked].filter((id) => {
    const run = table.get(id);
    return run !== undefined && !isTerminal(run.status);
  }).length;
  return (
    <div className="view fill">
      <PageHead title="Runs">
        <button type="button" className="primary" onClick={() => trigger({})}>
          Trigger <ButtonKey name="t" />
        </button>
      </PageHead>
      <RunsFilter filter={filter} query={query} workflows={workflows} onFilter={onFilter} />
      {error === undefined ? null : <Failed error={error} />}
      {marked.size === 0 ? null : (
        <div className="bulk row wrap" role="group" aria-label="Marked runs">
          <strong aria-live="polite">{marked.size.toLocaleString('en')} marked</strong>
          <ActionButton needs="work" {...deed('replay')}>
            Replay <ButtonKey name="R" />
          </ActionButton>
          <ActionButton needs="work" disabled={running === 0} {...deed('cancel')}>
            Cancel <ButtonKey name="x" />
          </ActionButton>
          <button type="button" className="quiet" onClick={() => setMarks({ of: filter, ids: noMarks })}>
            Unmark
          </button>
        </div>
      )}
      {table.size > 0 ? (
        <RunsTable
          feed={feed}
          version={version}
          marked={marked}
          current={current}
          onMark={mark}
          onMarkAll={markAll}
          onChoose={setCurrent}
        />
      ) : !isRead ? (
        <Skeleton lines={10} />
      ) : filter === '' ? (
        <Empty title="No runs yet">
          <p>
            Trigger one: <code>hatchet trigger {workflows[0] ?? '<workflow>'}</code>, or press <kbd>t</kbd>.
          </p>
        </Empty>
      ) : (
        <Empty title="No run fits this filter">
          <p>Clear it, or leave a word out. New runs that fit appear here by themselves.</p>
        </Empty>
      )}
      <p className="muted small" aria-live="off">
        {table.size === 0
          ? ''
          : `${table.size.toLocaleString('en')} ${table.size === 1 ? 'run' : 'runs'} listed${feed.hasOlder ? ', more as you scroll' : ''}`}
      </p>
    </div>
  );
}
