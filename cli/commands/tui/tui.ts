import { isInteractive, type CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { resolveConnection, type Connection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-code.ts';
import { GrpcRunReader } from '../../monitor/grpc-run-reader.ts';
import { effectRunner } from '../../ui/run-effects.ts';
import { startUi } from '../../ui/start-ui.ts';

/** Runs until the person quits. @throws CliError without a terminal or an engine */
export async function tui(context: CliContext, runId: string | undefined, flags: ConnectionFlags): Promise<ExitCode> {
  if (!isInteractive(context)) throw wrongUse('the terminal UI needs stdin and stdout to be a terminal', 'Use `hatchet runs tail`, with -o ndjson for programs.');
  const connection = (): Connection => resolveConnection(context, flags);
  const connect = (): GrpcRunReader => new GrpcRunReader(connection());
  const first = connect();
  try {
    await first.listRuns({ limit: 1 }); // an engine that is not there is an error, not an empty screen
  } finally {
    first.close();
  }
  const ui = await startUi(context, { isDev: false });
  try {
    return await new Promise<ExitCode>((resolve) => {
      const interrupt = (): void => resolve(ExitCode.interrupted);
      ui.store.onEffect(effectRunner(context, { store: ui.store, connect, connection, quit: () => resolve(ExitCode.done), interrupt, reload: () => undefined }));
      context.interrupted.addEventListener('abort', interrupt);
      ui.connect(connect);
      if (runId !== undefined) ui.store.dispatch({ type: 'open-run', runId });
    });
  } finally {
    ui.stop();
  }
}
