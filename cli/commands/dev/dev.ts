import { join, resolve } from 'node:path';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { localConnection, type Connection } from '../../connection/resolve-connection.ts';
import { noteUnusedConnection } from '../../connection/unused-connection.ts';
import { EngineController } from '../../dev/engine-controller.ts';
import { engineTrouble } from '../../dev/trouble/engine-trouble.ts';
import type { DevEvent } from '../../dev/events.ts';
import { findProgram } from '../../dev/program/find-program.ts';
import { InspectorPort } from '../../dev/workers/inspector-port.ts';
import { linesView, ndjsonView } from '../../dev/view/lines-view.ts';
import { readEnvFile } from '../../dev/program/load-config.ts';
import type { Program } from '../../dev/program/program.ts';
import { RunFeed } from '../../dev/view/run-feed.ts';
import { DevSession, type DevView } from '../../dev/dev-session.ts';
import { pauseWorkers } from '../../dev/workers/pause-workers.ts';
import { ProcessEnds } from '../../dev/workers/process-ends.ts';
import { workerEnv } from '../../dev/workers/worker-env.ts';
import { Workers } from '../../dev/workers/workers.ts';
import { readLocalToken, runningEngine } from '../../engine-process/engine-record.ts';
import { followEngineLog } from '../../engine-process/follow-engine-log.ts';
import { engineLogPath } from '../../engine-process/spawn-engine.ts';
import { isPortFree, nextFreePort, portOwner } from '../../engine-process/port-owner.ts';
import { ExitCode } from '../../exit-codes.ts';
import { checkPayload } from '../../input/check-input.ts';
import { openReader } from '../../monitor/open-reader.ts';
import type { RunReader } from '../../monitor/run-reader.ts';
import { dataFolder, projectRoot } from '../../project/project-root.ts';
import { resetData } from './reset-data.ts';
import { askAboutSecond } from './second-session.ts';

export interface DevFlags {
  output?: 'text' | 'ndjson';
  tui: boolean;
  grpcPort?: number;
  httpPort?: number;
  databaseUrl?: string;
  dataDir?: string;
  processes: number;
  inspect?: string | true;
  reload: boolean;
  reset?: true;
  yes?: true;
  envFile?: string;
  trigger?: string;
  input?: string;
  once?: true;
}

const host = '127.0.0.1';
const usualInspector = 9229;
const defaultPorts = { grpc: 7077, http: 8888 };

const inspectorAddress = /^(?:(.+):)?(\d+)$/;

export async function dev(context: CliContext, entry: string | undefined, options: DevFlags): Promise<ExitCode> {
  // What follows an --inspect without an address is the program.
  const isProgram =
    entry === undefined && typeof options.inspect === 'string' && !inspectorAddress.test(options.inspect);
  const flags: DevFlags = isProgram ? { ...options, inspect: true } : options;
  const given = isProgram ? String(options.inspect) : entry;
  if (flags.once === true && flags.trigger === undefined)
    throw wrongUse('--once needs a run to end after', 'Add --trigger with the name of a workflow.');
  if (flags.input !== undefined && flags.trigger === undefined) throw wrongUse('--input was given without --trigger');
  const input = flags.input ?? '{}';
  checkPayload(input, '--input');
  noteUnusedConnection(context, 'runs an engine of its own; `hatchet worker start` runs the worker on another');
  const project = projectRoot(context.cwd);
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  const buildDir = join(project, '.hatchet', 'build');
  const other = runningEngine(dataDir);
  if (other !== undefined) {
    const answer = await askAboutSecond(context, { dataDir, running: other });
    if (answer === 'attach') return (await import('../tui/tui.ts')).tui(context, undefined, { dataDir });
    if (answer === 'quit') return ExitCode.done;
    await (await import('../engine/stop-engine.ts')).stopEngine(context, { dataDir, output: 'text' });
  }
  const program = await findProgram({ cwd: context.cwd, project, buildDir, given, env: context.env });
  const envFile = flags.envFile ?? program.envFile;
  readEnvFile(project, envFile);
  const envPath = resolve(project, envFile ?? '.env');
  const ports = {
    grpc: await choosePort(flags.grpcPort, defaultPorts.grpc, '--grpc-port'),
    http: await choosePort(flags.httpPort, defaultPorts.http, '--http-port'),
  };
  if (flags.reset === true) await resetData(context, { dataDir, isAgreed: flags.yes === true });

  const inspector = flags.inspect === undefined ? undefined : await openInspector(flags.inspect, program);

  let session: DevSession | undefined;
  const emit = (event: DevEvent): void => session?.handle(event);
  const connection = (): Connection => ownConnection(context, dataDir);
  const connect = (): RunReader => openReader(connection());
  const databaseUrl = flags.databaseUrl ?? context.env['DATABASE_URL'];
  const watcher = flags.reload ? program.makeWatcher(emit) : undefined;
  watcher?.cover([envPath]);
  session = new DevSession(
    {
      project,
      engine: new EngineController(
        {
          dataDir,
          host,
          allowSkip: true,
          grpcPort: ports.grpc,
          httpPort: ports.http,
          ...(databaseUrl === undefined || databaseUrl === '' ? {} : { databaseUrl }),
        },
        emit,
      ),
      builder: program.makeBuilder(emit),
      watcher,
      types: program.makeTypes(emit),
      workers: new Workers({
        cwd: project,
        count: flags.processes,
        env: () =>
          workerEnv(
            context.env,
            { HATCHET_CLIENT_CAPTURE_CONSOLE: 'true', ...readEnvFile(project, envFile) },
            connection(),
          ),
        args: inspector === undefined ? program.args : ['--inspect=127.0.0.1:0', ...program.args],
        watched: flags.reload && flags.once !== true,
        impatient: flags.once === true,
        ahead: program.mayStartAhead && flags.reload && flags.processes === 1 && flags.once !== true,
        connect,
        pause: (workerIds) => pauseWorkers(connection, workerIds),
        ends: new ProcessEnds(connection),
        emit,
      }),
      feed: new RunFeed(connect, emit),
      inspector,
      view: await chooseView(context, flags, { emit, connect, connection, engineLog: engineLogPath(dataDir) }),
      connection,
      envFile: envPath,
    },
    {
      trigger:
        flags.trigger === undefined ? undefined : { workflow: flags.trigger, input, metadata: {}, priority: undefined },
      once: flags.once === true,
    },
  );
  if (inspector !== undefined) emit({ type: 'inspector-ready', address: inspector.address });
  const isEmbedded = databaseUrl === undefined || databaseUrl === '';
  let inTrouble = '';
  const log = followEngineLog(engineLogPath(dataDir), {
    past: 0,
    onLines(lines) {
      for (const line of lines) {
        const trouble = engineTrouble(line, { isEmbedded, dataDir });
        const text = typeof trouble === 'object' ? trouble.text : '';
        if (trouble === undefined || text === inTrouble) continue; // said already
        inTrouble = text;
        emit(typeof trouble === 'object' ? { type: 'engine-trouble', trouble } : { type: 'engine-recovered' });
      }
    },
  });
  const interrupt = (): void => emit({ type: 'interrupted', signal: String(context.interrupted.reason) });
  context.interrupted.addEventListener('abort', interrupt);
  if (context.interrupted.aborted) interrupt();
  try {
    return await session.run();
  } finally {
    await log.stop();
  }
}

/** @throws CliError with exit code 2 */
async function openInspector(given: string | true, program: Program): Promise<InspectorPort> {
  if (!program.mayStartAhead)
    throw wrongUse(
      "--inspect needs a worker that runs in Node, and this project's is a command of hatchet.yaml",
      'Add the flags of your own debugger to dev.runCmd.',
    );
  const [, debugHost = host, text = ''] = inspectorAddress.exec(given === true ? String(usualInspector) : given) ?? [];
  const at = Number(text);
  if (text === '' || at > 65_535) throw wrongUse(`--inspect takes a port or host:port, not ${given}`);
  try {
    return await InspectorPort.listen({ host: debugHost, port: at });
  } catch (cause) {
    const owner = portOwner(at);
    throw wrongUse(
      `no debugger can be offered at ${debugHost}:${at}: ${cause instanceof Error ? cause.message : String(cause)}${owner === undefined ? '' : ` (pid ${owner.pid}, ${owner.command})`}`,
      'Give another port: --inspect 9230.',
    );
  }
}

interface ViewParts {
  emit: (event: DevEvent) => void;
  connect: () => RunReader;
  connection: () => Connection;
  engineLog: string;
}

async function chooseView(context: CliContext, flags: DevFlags, parts: ViewParts): Promise<DevView> {
  if (flags.output === 'ndjson') return ndjsonView(context);
  if (flags.output === 'text' || !flags.tui || flags.once === true || !isInteractive(context))
    return linesView(context);
  const { tuiView } = await import('../../dev/view/tui-view.ts');
  return tuiView(context, parts);
}

/** A given port or none; without one the usual, or the next that is free. @throws CliError with exit code 2 */
async function choosePort(given: number | undefined, usual: number, flag: string): Promise<number> {
  if (given === undefined) return nextFreePort(host, usual);
  if (given === 0 || (await isPortFree(host, given))) return given;
  const owner = portOwner(given);
  throw wrongUse(
    `port ${given} is taken${owner === undefined ? '' : ` by pid ${owner.pid} (${owner.command})`}`,
    `Stop that program, or leave ${flag} out to take the next free port.`,
  );
}

function ownConnection({ env }: CliContext, dataDir: string): Connection {
  const engine = runningEngine(dataDir);
  const token = readLocalToken(dataDir);
  if (engine === undefined || token === undefined)
    throw new CliError('the engine is not up', { exitCode: ExitCode.noEngine });
  return localConnection(engine, { token, dataDir, env });
}
