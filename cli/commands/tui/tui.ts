import { isInteractive, type CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { resolveConnection, type Connection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { engineLogLine } from '../../engine-process/engine-log-line.ts';
import { followEngineLog } from '../../engine-process/follow-engine-log.ts';
import { engineLogPath } from '../../engine-process/spawn-engine.ts';
import { ExitCode } from '../../exit-codes.ts';
import { createOutput } from '../../output/create-output.ts';
import { openReader } from '../../monitor/open-reader.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import { effectRunner } from '../../ui/effect-runner.ts';
import { startUi } from '../../ui/start-ui.ts';

/** Bytes of the engine's log that are shown from before. */
const pastLog = 64 * 1024;

/** A person's terminal that takes lines alone. */
function isPlain({ stdin, stdout, env }: CliContext): boolean {
  return stdin.isTTY && stdout.isTTY && env['TERM'] === 'dumb';
}

/** Runs until the person quits. @throws CliError without a terminal or an engine */
export async function tui(context: CliContext, runId: string | undefined, flags: ConnectionFlags): Promise<ExitCode> {
  if (isPlain(context)) {
    createOutput('text', context).note(
      'This terminal (TERM=dumb) cannot be drawn on: what happens is printed, as `hatchet runs tail` does. Ctrl+C ends it.',
    );
    return (await import('../runs/tail-runs.ts')).tailRuns(context, runId, { ...flags, output: 'text' });
  }
  if (!isInteractive(context))
    throw wrongUse(
      'the terminal UI needs stdin and stdout to be a terminal',
      'Use `hatchet runs tail`, with -o ndjson for programs.',
    );
  const connection = (): Connection => resolveConnection(context, flags);
  const connect = (): RunReader => openReader(connection());
  const first = connect();
  try {
    await first.listRuns({ limit: 1 }); // an engine that is not there is an error, not an empty screen
  } finally {
    first.close();
  }
  const ui = await startUi(context, { isDev: false });
  // The log of an engine elsewhere is not here to be read.
  const { dataDir } = connection();
  const log =
    dataDir === undefined
      ? undefined
      : followEngineLog(engineLogPath(dataDir), {
          past: pastLog,
          onLines: (lines) =>
            ui.store.dispatch({
              type: 'log-lines',
              lines: lines.map((line) => ({ source: 'engine', text: `engine │ ${engineLogLine(line)}` })),
            }),
        });
  try {
    return await new Promise<ExitCode>((resolve) => {
      const interrupt = (): void => resolve(ExitCode.interrupted);
      const suspend = (): void => ui.suspend();
      ui.store.onEffect(
        effectRunner(context, {
          store: ui.store,
          connect,
          connection,
          quit: () => resolve(ExitCode.done),
          interrupt,
          suspend,
          reload: () => undefined,
        }),
      );
      context.interrupted.addEventListener('abort', interrupt);
      ui.connect(connect);
      if (runId !== undefined) ui.store.dispatch({ type: 'open-run', runId });
    });
  } finally {
    ui.stop();
    await log?.stop();
  }
}
