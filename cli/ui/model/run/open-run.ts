import { panes, type OpenRun, type PaneName } from '../ui-state.ts';

interface Opening {
  /** Without one, the error of a run that failed, the log of a durable one, else the events. */
  pane?: PaneName | undefined;
  /** A node to select. */
  aim?: number;
  parents?: readonly string[];
}

/** A run that was just opened: nothing of it is known yet. */
export function openRun(runId: string, { pane, aim, parents = [] }: Opening = {}): OpenRun {
  const shown = pane ?? 'events';
  return {
    runId,
    detail: undefined,
    events: [],
    logs: [],
    task: undefined,
    focus: 'tasks',
    pane: shown,
    isChosen: pane !== undefined,
    scroll: isFed(shown) ? null : 0,
    durable: new Map(),
    node: undefined,
    aim,
    parents,
    revision: 0,
    missing: false,
  };
}

export function isDurable({ detail }: Pick<OpenRun, 'detail'>): boolean {
  return detail?.tasks.some((task) => task.durable) ?? false;
}

/** The pane that is shown while no key has chosen one: the error of what failed, the log of what is durable, else the events. */
export function usualPane(run: Pick<OpenRun, 'detail' | 'aim'>): PaneName {
  if (run.detail?.run.status === 'FAILED' && run.aim === undefined) return 'failure';
  return isDurable(run) ? 'durable' : 'events';
}

function hasFailed({ detail }: Pick<OpenRun, 'detail'>): boolean {
  return detail?.run.status === 'FAILED' || (detail?.tasks.some(({ errorMessage }) => errorMessage !== null) ?? false);
}

/** Only a run with durable tasks has their log to show, and only one in which something failed its error. */
export function panesOf(run: OpenRun): readonly PaneName[] {
  return panes.filter((pane) =>
    pane === 'durable' ? isDurable(run) : pane !== 'failure' || run.pane === 'failure' || hasFailed(run),
  );
}

/** Panes that grow at their end. */
export function isFed(pane: PaneName): boolean {
  return pane === 'events' || pane === 'logs';
}

/** Where a pane begins; null is its end. Python's tracebacks end with the place and the error. */
export function firstScroll({ detail }: Pick<OpenRun, 'detail'>, pane: PaneName): number | null {
  const endsWithPlace =
    pane === 'failure' &&
    (detail?.tasks.some(({ errorMessage, errorStack }) =>
      `${errorMessage ?? ''}\n${errorStack ?? ''}`.includes('\nTraceback (most recent call last):'),
    ) ??
      false);
  return isFed(pane) || endsWithPlace ? null : 0;
}
