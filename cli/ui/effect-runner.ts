import { DurableAdmin } from '../admin/durable-admin.ts';
import { makePageLink } from '../admin/page-link.ts';
import { RunAdmin } from '../admin/run-admin.ts';
import { pushedEvent, type PushedEvent } from '../admin/push-event.ts';
import { WorkflowAdmin } from '../admin/workflow-admin.ts';
import type { CliContext } from '../cli-context.ts';
import { checkObject } from '../input/check-input.ts';
import { sdkOf } from '../connection/with-sdk.ts';
import type { Connection } from '../connection/resolve-connection.ts';
import type { RunReader } from '../monitor/run-reader.ts';
import { askedFilter } from './model/runs/asked-filter.ts';
import type { UiEffect } from './model/ui-state.ts';
import { bulkEffects } from './bulk-effects.ts';
import type { UiStore } from './ui-store.ts';
import { amount } from '../output/amount.ts';
import { openInBrowser } from '../output/open-in-browser.ts';
import { jsonText } from '../output/plain-text.ts';

export interface EffectPorts {
  store: UiStore;
  connection: () => Connection;
  connect: () => RunReader;
  quit(): void;
  interrupt(): void;
  suspend(): void;
  reload(): void;
}

const olderPage = 500;
/** A search is sent once nothing was typed for this long. */
const typingMs = 150;

/** Carries out what the model asks of the outside. A failure becomes a notice. */
export function effectRunner(
  context: Pick<CliContext, 'stdout' | 'env'>,
  ports: EffectPorts,
): (effect: UiEffect) => void {
  const { store } = ports;
  const notice = (text: string): void => store.dispatch({ type: 'notice', text, atMs: Date.now() });
  const attempt = (work: Promise<void>): void =>
    void work.catch((error: unknown) => notice(error instanceof Error ? error.message : String(error)));
  let typing: NodeJS.Timeout | undefined;
  const bulk = bulkEffects({ store, connect: ports.connect, admin: () => new RunAdmin(ports.connection()) });
  return (effect) => {
    switch (effect.type) {
      case 'quit':
        ports.quit();
        return;
      case 'interrupt':
        ports.interrupt();
        return;
      case 'suspend':
        ports.suspend();
        return;
      case 'reload':
        ports.reload();
        notice('starting the worker anew');
        return;
      case 'copy':
        // OSC 52 reaches the clipboard through ssh and tmux too; a terminal without it ignores it.
        context.stdout.write(`\u001b]52;c;${Buffer.from(effect.text).toString('base64')}\u0007`);
        notice(`copied ${effect.text}`);
        return;
      case 'open-page':
        attempt(openPage(context, ports));
        return;
      case 'cancel':
        attempt(cancel(ports, effect.runId).then(() => notice(`cancelled ${effect.runId}`)));
        return;
      case 'replay':
        attempt(
          replay(ports, effect.id).then((count) =>
            notice(
              count === 0
                ? `${effect.id} has nothing to run again`
                : `${effect.id} runs again (${count} ${count === 1 ? 'task' : 'tasks'})`,
            ),
          ),
        );
        return;
      case 'mark-all':
        attempt(bulk.markAll());
        return;
      case 'stop-marking':
        bulk.stopMarking();
        return;
      case 'bulk':
        attempt(bulk.run(effect.deed, effect.runs));
        return;
      case 'stop-bulk':
        bulk.stop();
        return;
      case 'skip-sleep':
        attempt(
          withDurable(ports, (admin) => admin.skipSleep(effect)).then(() =>
            notice(`skipped the sleep at node ${effect.node}`),
          ),
        );
        return;
      case 'branch':
        attempt(
          withDurable(ports, (admin) => admin.branch(effect)).then((made) =>
            notice(`goes on from node ${made.node}, on branch ${made.branch}`),
          ),
        );
        return;
      case 'pause-workflow':
        attempt(
          withWorkflows(ports, (admin) => admin.pause(effect.name, effect.paused)).then(() =>
            notice(effect.paused ? `${effect.name} is paused: its queued tasks wait` : `${effect.name} runs again`),
          ),
        );
        return;
      case 'enable-cron':
        attempt(
          withWorkflows(ports, (admin) => admin.enableCron(effect.cronId, effect.enabled)).then(() =>
            notice(`the cron ${effect.name} is ${effect.enabled ? 'on' : 'off'}`),
          ),
        );
        return;
      case 'run-cron':
        attempt(
          withWorkflows(ports, (admin) => admin.runCron(effect.cronId)).then((runId) =>
            notice(`ran the cron ${effect.name}, run ${runId}`),
          ),
        );
        return;
      case 'delete-cron':
        attempt(
          withWorkflows(ports, (admin) => admin.deleteCron(effect.cronId)).then(() =>
            notice(`deleted the cron ${effect.name}`),
          ),
        );
        return;
      case 'run-schedule':
        attempt(
          withWorkflows(ports, (admin) => admin.runSchedule(effect.scheduleId)).then(() =>
            notice('the scheduled run starts now'),
          ),
        );
        return;
      case 'delete-schedule':
        attempt(
          withWorkflows(ports, (admin) => admin.deleteSchedule(effect.scheduleId)).then(() =>
            notice('deleted the scheduled run'),
          ),
        );
        return;
      case 'trigger':
        attempt(
          trigger(ports, effect).then((runId) =>
            store.dispatch({ type: 'triggered', runId, workflow: effect.workflow, atMs: Date.now() }),
          ),
        );
        return;
      case 'push-event':
        attempt(
          pushEvent(ports, effect).then(({ runs }) =>
            notice(
              runs.length === 0
                ? `pushed ${effect.key}: it started no workflow, and tasks that wait for it go on`
                : `pushed ${effect.key}: it started ${amount(runs.length, 'run')} of ${[...new Set(runs.map(({ workflow }) => workflow))].join(', ')}`,
            ),
          ),
        );
        return;
      case 'load-workflow':
        attempt(loadWorkflow(ports, effect.name));
        return;
      case 'load-workers':
        attempt(loadWorkers(ports));
        return;
      case 'load-older':
        attempt(loadOlder(ports, effect.page));
        return;
      case 'find-runs':
        clearTimeout(typing);
        if (effect.page !== undefined) attempt(findRuns(ports, effect.key, effect.page));
        else typing = setTimeout(() => attempt(findRuns(ports, effect.key, undefined)), typingMs);
        return;
    }
  };
}

async function openPage(context: Pick<CliContext, 'env'>, { connection, store }: EffectPorts): Promise<void> {
  const { url } = await makePageLink(connection());
  store.dispatch({ type: 'page', url, isOpen: await openInBrowser(url, context) });
}

async function closing<Client extends { close(): void }, T>(
  client: Client,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function withAdmin<T>(ports: EffectPorts, work: (admin: RunAdmin) => Promise<T>): Promise<T> {
  return await closing(new RunAdmin(ports.connection()), work);
}

async function withDurable<T>(ports: EffectPorts, work: (admin: DurableAdmin) => Promise<T>): Promise<T> {
  return await closing(new DurableAdmin(ports.connection()), work);
}

async function withWorkflows<T>(ports: EffectPorts, work: (admin: WorkflowAdmin) => Promise<T>): Promise<T> {
  return await closing(new WorkflowAdmin(ports.connection()), work);
}

async function withReader<T>(ports: EffectPorts, work: (reader: RunReader) => Promise<T>): Promise<T> {
  return await closing(ports.connect(), work);
}

async function cancel(ports: EffectPorts, runId: string): Promise<void> {
  await withAdmin(ports, (admin) => admin.cancel([runId]));
}

function replay(ports: EffectPorts, id: string): Promise<number> {
  return withAdmin(ports, async (admin) => (await admin.replay([id])).length);
}

function trigger(ports: EffectPorts, { workflow, input }: { workflow: string; input: string }): Promise<string> {
  return withAdmin(ports, (admin) => admin.trigger({ workflow, input, metadata: {}, priority: undefined }));
}

/** Pushes the event and looks which runs it started. */
function pushEvent(
  ports: EffectPorts,
  { key, payload, scope }: { key: string; payload: string; scope: string | undefined },
): Promise<PushedEvent> {
  return withReader(ports, (reader) =>
    closing(sdkOf(ports.connection()), (hatchet) =>
      pushedEvent(hatchet, reader, { key, scope, payload: checkObject(payload, 'the payload') }),
    ),
  );
}

/** The workflow with its schema; without one, the newest run's input stands in for it. */
function loadWorkflow(ports: EffectPorts, name: string): Promise<void> {
  return withReader(ports, async (reader) => {
    const workflow = await reader.getWorkflow(name);
    const [newest] =
      workflow.inputJsonSchema === null ? (await reader.listRuns({ workflows: [name], limit: 1 })).rows : [];
    const lastInput = newest === undefined ? undefined : jsonText((await reader.getRun(newest.runId)).input);
    ports.store.dispatch({ type: 'workflow', workflow, lastInput });
  });
}

/** Also those that are gone. */
function loadWorkers(ports: EffectPorts): Promise<void> {
  return withReader(ports, async (reader) => {
    const workers = await reader.listWorkers({ all: true });
    ports.store.dispatch({
      type: 'worker-names',
      names: new Map(workers.map(({ workerId, name }) => [workerId, name])),
    });
  });
}

function loadOlder(ports: EffectPorts, page: string): Promise<void> {
  return withReader(ports, async (reader) => {
    const { rows, next } = await reader.listRuns({ limit: olderPage, page });
    ports.store.dispatch({ type: 'runs-listed', rows, next });
  });
}

/** Over all runs. What was asked for meanwhile has a search of its own. */
function findRuns(ports: EffectPorts, key: string, page: string | undefined): Promise<void> {
  const { store } = ports;
  const { state } = store;
  if (state.found?.key !== key) return Promise.resolve();
  const filter = askedFilter(state);
  if (filter === undefined) {
    store.dispatch({ type: 'runs-found', key, page, rows: [], next: null });
    return Promise.resolve();
  }
  return withReader(ports, async (reader) => {
    try {
      const { rows, next } = await reader.listRuns({
        ...filter,
        limit: olderPage,
        ...(page === undefined ? {} : { page }),
      });
      store.dispatch({ type: 'runs-found', key, page, rows, next });
    } catch (error) {
      store.dispatch({ type: 'runs-found', key, page, rows: [], next: page ?? null });
      throw error;
    }
  });
}
