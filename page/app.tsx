import { Component, type ReactNode } from 'react';
import { routeOf, type Route } from './address/address.ts';
import { useAddress } from './address/navigation.ts';
import { Empty, Failed } from './parts/blank.tsx';
import { FeedbackProvider } from './parts/feedback.tsx';
import { PageHead } from './parts/page-head.tsx';
import { SignedIn } from './session/signed-in.tsx';
import { FiguresProvider } from './hooks/figures.tsx';
import { Shell } from './shell/shell.tsx';
import { AuditView } from './views/audit/audit-view.tsx';
import { DeadLettersView } from './views/dead-letters/dead-letters-view.tsx';
import { EventsView } from './views/events/events-view.tsx';
import { QueuesView } from './views/queues/queues-view.tsx';
import { RunView } from './views/run/run-view.tsx';
import { RunsView } from './views/runs/runs-view.tsx';
import { SchedulesView } from './views/schedules/schedules-view.tsx';
import { WebhooksView } from './views/webhooks/webhooks-view.tsx';
import { WorkersView } from './views/workers/workers-view.tsx';
import { TriggerProvider } from './views/workflows/trigger-dialog.tsx';
import { WorkflowView } from './views/workflows/workflow-view.tsx';
import { WorkflowsView } from './views/workflows/workflows-view.tsx';

export function App(): ReactNode {
  const { path, query } = useAddress();
  const route = routeOf(path);
  return (
    <SignedIn>
      <FiguresProvider>
        <FeedbackProvider>
          <TriggerProvider>
            <Shell path={path}>
              <Boundary key={keyOf(route)}>
                <View route={route} query={query} />
              </Boundary>
            </Shell>
          </TriggerProvider>
        </FeedbackProvider>
      </FiguresProvider>
    </SignedIn>
  );
}

/** A view of another thing begins anew; a tab of the same does not. */
function keyOf(route: Route): string {
  if (route.view === 'run') return `run ${route.runId}`;
  return route.view === 'workflow' ? `workflow ${route.name}` : route.view;
}

function View({ route, query }: { route: Route; query: URLSearchParams }): ReactNode {
  switch (route.view) {
    case 'runs':
      return <RunsView filter={query.get('q') ?? ''} />;
    case 'run':
      return <RunView runId={route.runId} tab={route.tab} />;
    case 'workflows':
      return <WorkflowsView />;
    case 'workflow':
      return <WorkflowView name={route.name} />;
    case 'workers':
      return <WorkersView />;
    case 'queues':
      return <QueuesView />;
    case 'schedules':
      return <SchedulesView />;
    case 'events':
      return <EventsView />;
    case 'webhooks':
      return <WebhooksView />;
    case 'dead-letters':
      return <DeadLettersView />;
    case 'audit':
      return <AuditView />;
    case 'unknown':
      return (
        <div className="view">
          <PageHead title="Not found" />
          <Empty title="There is nothing at this address">
            <p>Go on with the views at the side.</p>
          </Empty>
        </div>
      );
  }
}

/** A view that throws leaves the others as they are. */
class Boundary extends Component<{ children: ReactNode }, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div className="view">
        <PageHead title="This view has failed" />
        <Failed error={error} onRetry={() => this.setState({ error: undefined })} />
      </div>
    );
  }
}
