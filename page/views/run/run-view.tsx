import type { ReactNode } from 'react';
import type { RunDetail } from '../../../cli/monitor/run-reader.ts';
import { isTerminal } from '../../../cli/status-name.ts';
import { hrefOf, runHref, runTabs, type RunTab } from '../../address/address.ts';
import { navigate, useAddress } from '../../address/navigation.ts';
import { cancelRuns, replayRuns } from '../../data/run-calls.ts';
import { useAction } from '../../parts/action-button.tsx';
import { Empty, Failed, Skeleton } from '../../parts/blank.tsx';
import { useCopy } from '../../parts/copy-button.tsx';
import { PageHead } from '../../parts/page-head.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { useCalls } from '../../session/session.ts';
import { useKeys } from '../../hooks/keys.ts';
import { bulkAction } from '../runs/bulk-action.ts';
import { DataTab } from './data-tab.tsx';
import { DurableTab } from './durable-tab.tsx';
import { EventsTab } from './events-tab.tsx';
import { GraphTab } from './graph-tab.tsx';
import { LogsTab } from './logs-tab.tsx';
import { RunHead } from './run-head.tsx';
import { TimelineTab } from './timeline-tab.tsx';
import { TraceTab } from './trace-tab.tsx';
import { useRun, type OpenRun } from './use-run.ts';
import { WhyTab } from './why-tab.tsx';

const names: Readonly<Record<RunTab, string>> = {
  graph: 'Graph',
  timeline: 'Timeline',
  logs: 'Logs',
  events: 'Events',
  durable: 'Durable log',
  data: 'Input and output',
  trace: 'Trace',
  why: 'Why',
};

export function RunView({ runId, tab }: { runId: string; tab: RunTab }): ReactNode {
  const run = useRun(runId);
  const { detail, error, reload } = run;
  const calls = useCalls();
  const act = useAction();
  const copy = useCopy();
  const isOver = detail !== undefined && isTerminal(detail.run.status);
  const cancel = bulkAction('cancel', [runId], { carryOut: (ids) => cancelRuns(calls, ids), done: reload });
  const replay = bulkAction('replay', [runId], { carryOut: (ids) => replayRuns(calls, ids), done: reload });
  useKeys({
    y: () => copy(runId, 'the id'),
    R: isOver ? () => void act(replay) : undefined,
    x: detail !== undefined && !isOver ? () => void act(cancel) : undefined,
    Escape: () => navigate(hrefOf('/runs', {})),
  });
  if (detail === undefined)
    return (
      <div className="view">
        <PageHead title={`Run ${runId}`} heading="Run" />
        {error === undefined ? (
          <Skeleton lines={8} />
        ) : (
          <>
            <Failed error={error} onRetry={reload} />
            <Empty title="This run cannot be shown">
              <p>It may have been removed after the retention time, or belong to another tenant.</p>
            </Empty>
          </>
        )}
      </div>
    );
  return (
    <div className="view">
      <RunHead detail={detail} tab={tab} cancel={cancel} replay={replay} />
      {error === undefined ? null : <Failed error={error} />}
      <RunTabs detail={detail} tab={tab} />
      <RunTabBody run={run} detail={detail} tab={tab} />
    </div>
  );
}

function RunTabs({ detail, tab }: { detail: RunDetail; tab: RunTab }): ReactNode {
  const { query } = useAddress();
  const { run, tasks } = detail;
  const hasDurable = tasks.some((task) => task.durable);
  const waiting = tasks.filter((task) => task.cause !== null).length;
  const shown = runTabs.flatMap((each) => {
    if (each === 'durable' && !hasDurable && tab !== 'durable') return [];
    if (each === 'why' && waiting === 0 && tab !== 'why') return [];
    return [
      {
        href: runHref(run.runId, each, { task: query.get('task') ?? undefined }),
        name: names[each],
        isCurrent: each === tab,
        count: each === 'why' ? waiting : undefined,
      },
    ];
  });
  return <Tabs label="Views of the run" tabs={shown} />;
}

function RunTabBody({ run, detail, tab }: { run: OpenRun; detail: RunDetail; tab: RunTab }): ReactNode {
  switch (tab) {
    case 'graph':
      return <GraphTab detail={detail} onChanged={run.reload} />;
    case 'timeline':
      return <TimelineTab detail={detail} events={run.events} />;
    case 'logs':
      return <LogsTab detail={detail} />;
    case 'events':
      return <EventsTab events={run.events} isOver={isTerminal(detail.run.status)} />;
    case 'durable':
      return <DurableTab detail={detail} onChanged={run.reload} />;
    case 'data':
      return <DataTab detail={detail} />;
    case 'trace':
      // Spans come after the attempts that they are of have ended.
      return <TraceTab runId={detail.run.runId} version={run.events.length} />;
    case 'why':
      return <WhyTab detail={detail} />;
  }
}
