import { resolve } from 'node:path';
import type { EngineOptions } from '../../../engine/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { outputOf } from '../../command-host.ts';
import {
  removeStaleRecord,
  runningEngine,
  withoutSecrets,
  type EngineRecord,
} from '../../engine-process/engine-record.ts';
import { listenProblem, portOwner } from '../../engine-process/port-owner.ts';
import { spawnEngine } from '../../engine-process/spawn-engine.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { Output } from '../../output/output.ts';
import { ageText } from '../../output/time-text.ts';
import { dataFolder } from '../../project/project-root.ts';
import { describeEngine, type EngineFlags } from './engine-folder.ts';
import { networkOptions, type NetworkFlags } from './network-options.ts';

export interface StartFlags extends EngineFlags, NetworkFlags {
  databaseUrl?: string;
  secretKeyFile?: string;
  grpcPort: number;
  httpPort: number;
  retentionDays: number;
  auditDays: number;
  maxWorkerDeaths: number;
  detach?: true;
  edges: number;
  edge?: true;
  page: boolean;
}

/** @throws CliError */
export async function startEngine(context: CliContext, flags: StartFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  const running = runningEngine(dataDir);
  if (running !== undefined) {
    throw new CliError(
      `an engine runs on ${dataDir} already (pid ${running.pid}, gRPC ${running.grpc}, up ${ageText(running.startedAt)})`,
      { remedy: 'Use it, stop it with `hatchet engine stop`, or choose another --data-dir.' },
    );
  }
  removeStaleRecord(dataDir);
  await checkPort(flags.host, flags.grpcPort, '--grpc-port');
  await checkPort(flags.host, flags.httpPort, '--http-port');
  const network = networkOptions(context, flags);
  if (network.metricsPort !== undefined)
    await checkPort(network.metricsHost ?? '127.0.0.1', network.metricsPort, '--metrics-port');
  checkEdge(flags, context.env);
  const databaseUrl = flags.databaseUrl ?? context.env['DATABASE_URL'];
  const engine: EngineOptions & { dataDir: string } = {
    dataDir,
    ...network,
    ...(flags.edges === 0 ? {} : { edges: flags.edges }),
    ...(flags.edge === true ? { edge: true } : {}),
    ...(flags.page ? {} : { page: false }),
    grpcPort: flags.grpcPort,
    httpPort: flags.httpPort,
    retentionDays: flags.retentionDays,
    auditDays: flags.auditDays,
    maxWorkerDeaths: flags.maxWorkerDeaths,
    ...(flags.secretKeyFile === undefined ? {} : { secretKeyFile: resolve(context.cwd, flags.secretKeyFile) }),
    ...(databaseUrl === undefined || databaseUrl === '' ? {} : { databaseUrl }),
  };
  return flags.detach === true ? detach(dataDir, engine, output) : foreground(context, engine, output);
}

/** @throws CliError with exit code 2 */
function checkEdge(flags: StartFlags, env: CliContext['env']): void {
  if (flags.edge !== true) return;
  if (flags.edges > 0) throw wrongUse('an edge has no edges of its own', 'Give --edge or --edges.');
  if ((flags.databaseUrl ?? env['DATABASE_URL'] ?? '') === '')
    throw wrongUse(
      'an edge passes calls on to engines that hold tasks, and has no Postgres of its own',
      'Name the database of those engines with --database-url.',
    );
}

/** @throws CliError with exit code 2 that names the owner of a taken port where the system tells */
async function checkPort(host: string, port: number, flag: string): Promise<void> {
  const problem = await listenProblem(host, port);
  if (problem === undefined) return;
  if (problem === 'EADDRNOTAVAIL' || problem === 'ENOTFOUND')
    throw wrongUse(
      `this machine has no address ${host}`,
      'Name one of its own with --host; 0.0.0.0 stands for all of them.',
    );
  if (problem === 'EACCES')
    throw wrongUse(`port ${port} is for the system's own programs`, `Choose one from 1024 on with ${flag}.`);
  const owner = portOwner(port);
  throw wrongUse(
    `port ${port} is taken${owner === undefined ? '' : ` by pid ${owner.pid} (${owner.command})`}`,
    `Stop that program, or choose another port with ${flag}.`,
  );
}

async function detach(dataDir: string, engine: EngineOptions & { dataDir: string }, output: Output): Promise<ExitCode> {
  const child = spawnEngine({
    engine,
    log: 'file',
    detached: true,
    onStage: (event) => event.status === 'done' && output.note(`${event.stage}  ${event.ms} ms  ${event.detail}`),
  });
  await child.ready;
  child.release();
  const record = runningEngine(dataDir);
  if (record === undefined)
    throw new CliError('the engine ended right after it was ready', { remedy: `Read ${dataDir}/engine.log.` });
  print(output, record);
  return ExitCode.done;
}

function print(output: Output, record: EngineRecord): void {
  const shown = withoutSecrets(record);
  output.value(shown, () => describeEngine(shown));
}

async function foreground(
  context: CliContext,
  engine: EngineOptions & { dataDir: string },
  output: Output,
): Promise<ExitCode> {
  const { interrupted } = context;
  const child = spawnEngine({
    engine,
    log: 'stderr',
    detached: false,
    onStage: (event) => event.status === 'done' && output.note(`${event.stage}  ${event.ms} ms  ${event.detail}`),
  });
  const stop = (): void => void child.stop();
  interrupted.addEventListener('abort', stop);
  if (interrupted.aborted) stop();
  try {
    await child.ready;
    const record = runningEngine(engine.dataDir);
    if (record !== undefined) print(output, record);
    const { code, signal } = await child.exited;
    if (interrupted.aborted) return interrupted.reason === 'SIGINT' ? ExitCode.interrupted : ExitCode.done;
    if (code === 0) return ExitCode.done;
    throw new CliError(`the engine ended by itself (${signal ?? `exit code ${code}`})`, {
      remedy: 'Its log above says more.',
    });
  } catch (error) {
    if (interrupted.aborted) return ExitCode.interrupted;
    throw error;
  } finally {
    interrupted.removeEventListener('abort', stop);
    await child.stop();
  }
}
