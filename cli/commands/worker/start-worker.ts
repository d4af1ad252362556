import { join } from 'node:path';
import type { CliContext } from '../../cli-context.ts';
import { CliError } from '../../cli-error.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { devLines } from '../../dev/view/dev-line.ts';
import type { DevEvent } from '../../dev/events.ts';
import { findProgram } from '../../dev/program/find-program.ts';
import { readEnvFile } from '../../dev/program/load-config.ts';
import { pauseWorkers } from '../../dev/workers/pause-workers.ts';
import { ProcessEnds } from '../../dev/workers/process-ends.ts';
import { workerEnv } from '../../dev/workers/worker-env.ts';
import { Workers } from '../../dev/workers/workers.ts';
import { ExitCode } from '../../exit-codes.ts';
import { openReader } from '../../monitor/open-reader.ts';
import { projectRoot } from '../../project/project-root.ts';

export interface WorkerFlags extends ConnectionFlags {
  processes: number;
  envFile?: string;
}

/** Runs until it is interrupted. @throws CliError when the program cannot be built, or keeps dying */
export async function startWorker(
  context: CliContext,
  given: string | undefined,
  flags: WorkerFlags,
): Promise<ExitCode> {
  const { interrupted } = context;
  const project = projectRoot(context.cwd);
  const program = await findProgram({
    cwd: context.cwd,
    project,
    buildDir: join(project, '.hatchet', 'build'),
    given,
    env: context.env,
  });
  const envFile = readEnvFile(project, flags.envFile ?? program.envFile);
  // As the worker itself would find it.
  const connection = resolveConnection({ cwd: context.cwd, env: { ...envFile, ...context.env } }, flags);
  let end: (outcome: ExitCode | CliError) => void = () => undefined;
  const ended = new Promise<ExitCode | CliError>((resolve) => {
    end = resolve;
  });
  const emit = (event: DevEvent): void => {
    for (const { text } of devLines(event)) context.stderr.write(`${text}\n`);
    if (event.type === 'build-done') workers.replace(event.manifest);
    if (event.type === 'build-failed')
      end(new CliError('the worker was not built', { remedy: 'Correct what is named above.' }));
    if (event.type === 'worker-exited' && event.retryInMs === null && event.isLatest)
      end(new CliError('the worker keeps dying', { remedy: 'Its last lines above say more.' }));
  };
  const workers = new Workers({
    cwd: project,
    count: flags.processes,
    env: () => workerEnv(context.env, { NODE_ENV: 'production', ...envFile }, connection),
    args: program.args,
    watched: false,
    impatient: false,
    ahead: false,
    connect: () => openReader(connection),
    pause: (workerIds) => pauseWorkers(() => connection, workerIds),
    ends: new ProcessEnds(() => connection),
    emit,
  });
  const builder = program.makeBuilder(emit);
  const interrupt = (): void => end(interrupted.reason === 'SIGINT' ? ExitCode.interrupted : ExitCode.done);
  interrupted.addEventListener('abort', interrupt);
  if (interrupted.aborted) interrupt();
  builder.build();
  const outcome = await ended;
  await Promise.all([builder.stop(), workers.stop()]);
  if (outcome instanceof CliError) throw outcome;
  return outcome;
}
