import type { CliContext } from '../../cli-context.ts';
import type { Connection } from '../../connection/resolve-connection.ts';
import { engineLogLine } from '../../engine-process/engine-log-line.ts';
import { followEngineLog } from '../../engine-process/follow-engine-log.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import { effectRunner } from '../../ui/effect-runner.ts';
import { startUi } from '../../ui/start-ui.ts';
import type { UiStore } from '../../ui/ui-store.ts';
import { devLines } from './dev-line.ts';
import type { DevEvent, Emit } from '../events.ts';
import type { DevView } from '../dev-session.ts';

export interface TuiParts {
  emit: Emit;
  connect: () => RunReader;
  connection: () => Connection;
  engineLog: string;
}

/** A session on the terminal UI's own screen. What has to be read after it (a failed start) goes to stderr once it is left. */
export async function tuiView(context: CliContext, parts: TuiParts): Promise<DevView> {
  const ui = await startUi(context, { isDev: true });
  const { store } = ui;
  const { emit, connect, connection } = parts;
  store.onEffect(
    effectRunner(context, {
      store,
      connect,
      connection,
      quit: () => emit({ type: 'quit-requested' }),
      interrupt: () => context.interrupt(),
      suspend: () => ui.suspend(),
      reload: () => emit({ type: 'reload-requested' }),
    }),
  );
  const log = followEngineLog(parts.engineLog, {
    past: 0,
    onLines: (lines) =>
      store.dispatch({
        type: 'log-lines',
        lines: lines.map((line) => ({ source: 'engine', text: `engine │ ${engineLogLine(line)}` })),
      }),
  });
  const last: string[] = [];
  let isOpen = true;
  return {
    show(event) {
      // What is said of the end is read on the normal screen, once that is back.
      if (event.type === 'stopping') last.push(...devLines(event).map((line) => line.text));
      if (!isOpen) return;
      if (event.type === 'engine-ready' && !event.restarted) ui.connect(connect);
      if (event.type === 'engine-failed' || event.type === 'run-finished')
        last.push(...devLines(event).map((line) => line.text));
      if (event.type !== 'run-event')
        store.dispatch({
          type: 'log-lines',
          lines: devLines(event).map(({ text }) => ({
            source: event.type === 'worker-line' ? 'worker' : 'session',
            text,
          })),
        });
      apply(store, event);
    },
    async stop() {
      isOpen = false;
      ui.stop();
      await log.stop();
      for (const line of last) context.stderr.write(`${line}\n`);
    },
  };
}

/** On one line. */
function crashText(event: DevEvent): string {
  return devLines(event)
    .map(({ text }) => text.replace(/^✗ /, '').trim())
    .join('; ');
}

function apply(store: UiStore, event: DevEvent): void {
  const { dev } = store.state;
  if (dev === undefined) return;
  switch (event.type) {
    case 'engine-stage': {
      const { stage, status, ms } = event.stage;
      const others = dev.stages.filter((one) => one.name !== stage);
      store.dispatch({ type: 'dev', dev: { stages: [...others, { name: stage, ms: status === 'done' ? ms : null }] } });
      return;
    }
    case 'engine-ready':
    case 'engine-recovered':
      store.dispatch({ type: 'dev', dev: { trouble: undefined } });
      return;
    case 'engine-trouble':
      store.dispatch({ type: 'dev', dev: { trouble: event.trouble } });
      return;
    case 'engine-exited':
      store.dispatch({
        type: 'dev',
        dev: {
          trouble: {
            text: `the engine ended (${event.signal ?? `exit code ${event.code}`}) and is started again`,
            remedy: 'What was acknowledged is stored. If it stays away, the Logs (6) say why.',
          },
        },
      });
      return;
    case 'reload-held':
      store.dispatch({ type: 'dev', dev: { held: event.files } });
      return;
    case 'build-done':
      store.dispatch({ type: 'dev', dev: { problems: [] } });
      return;
    case 'build-failed':
      store.dispatch({ type: 'dev', dev: { problems: event.problems } });
      return;
    case 'types-checked':
      store.dispatch({ type: 'dev', dev: { typeProblems: event.problems } });
      return;
    case 'durable-mismatch': {
      const { runId, workflow, node, recorded, asked } = event;
      store.dispatch({
        type: 'dev',
        dev: {
          mismatches: [
            ...dev.mismatches.filter((note) => note.runId !== runId),
            { runId, workflow, node, recorded, asked },
          ],
        },
      });
      return;
    }
    case 'worker-starting':
      store.dispatch({ type: 'dev', dev: { worker: event.serves ? 'serving' : 'starting', held: [] } });
      return;
    case 'worker-ready':
      store.dispatch({ type: 'dev', dev: { worker: 'serving', crash: undefined, reloads: event.generation - 1 } });
      return;
    case 'worker-exited':
      store.dispatch({
        type: 'dev',
        dev: {
          worker: event.serves ? 'serving' : 'crashed',
          crash: { text: crashText(event), lines: event.exit.lastLines },
        },
      });
      return;
    case 'run-interrupted':
      if (dev.crash !== undefined)
        store.dispatch({
          type: 'dev',
          dev: { crash: { ...dev.crash, text: `${dev.crash.text}; it had run ${event.runId} of ${event.workflow}` } },
        });
      return;
    default:
  }
}
