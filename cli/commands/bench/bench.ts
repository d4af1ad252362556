import {
  AdminServiceClient,
  type CreateWorkflowVersionResponse,
} from '../../../proto/gen/hatchet/contract/v1/workflows.ts';
import type { CliContext } from '../../cli-context.ts';
import { CliError } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { Channel } from '../../connection/channel.ts';
import { resolveConnection, type Connection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { runningEngine } from '../../engine-process/engine-record.ts';
import { ExitCode } from '../../exit-codes.ts';
import { dataFolder } from '../../project/project-root.ts';
import { BenchLoad, type LoadFigures } from './bench-load.ts';
import { benchWorkflow, type BenchKind, type BenchWorkflow } from './bench-workflows.ts';
import { startBenchWorkers } from './bench-workers.ts';
import { readCpu, type CpuReading, type CpuSources } from './cpu-usage.ts';
import { percentiles } from './percentiles.ts';

export interface BenchFlags extends ConnectionFlags, OutputFlag {
  rate?: number;
  inFlight: number;
  duration: number;
  warmup: number;
  size: number;
  workflow: BenchKind;
  workers: number;
}

/** Without any progress for this long, runs that are still open count as lost. */
const patienceMs = 15_000;

export async function bench(context: CliContext, flags: BenchFlags): Promise<ExitCode> {
  const output = outputOf(context, flags);
  const { interrupted: signal } = context;
  const connection = resolveConnection(context, flags);
  const workflow = benchWorkflow(flags.workflow);
  await register(connection, workflow);
  const load = new BenchLoad({
    connection,
    workflow: workflow.name,
    input: inputOf(flags.size),
    rate: flags.rate,
    inFlight: flags.inFlight,
  });
  const { address, token, tls } = connection;
  const { actions, firstAction, lastAction } = workflow;
  const slots = Math.max(1_000, flags.inFlight * 2);
  const workers = await startBenchWorkers(
    flags.workers,
    { address, token, tls, actions, firstAction, lastAction, slots },
    (message) => load.progress(message),
  );
  try {
    output.note(
      `${flags.rate === undefined ? `${flags.inFlight} runs in flight` : `${flags.rate} runs a second`} for ${flags.duration / 1000} s, after ${flags.warmup / 1000} s of warm-up, at ${address}`,
    );
    await load.send(flags.warmup, { measure: false, signal });
    await load.settle(patienceMs, signal);
    const sources = cpuSources(context, flags, connection, workers.pids);
    const before = readCpu(sources);
    await load.send(flags.duration, { measure: true, signal });
    const figures = await load.settle(patienceMs, signal);
    const cpu = difference(before, readCpu(sources), figures.completedTasks);
    if (signal.aborted) return ExitCode.interrupted;
    const result = summary(figures, cpu);
    output.value(result, () => render(result));
    if (figures.failedTriggers > 0)
      output.warn(`${figures.failedTriggers} triggers failed, the last one with: ${load.lastError}`);
    return result.lost > 0 || figures.failedTriggers > 0 ? ExitCode.failed : ExitCode.done;
  } finally {
    load.close();
    await workers.stop();
  }
}

async function register(connection: Connection, workflow: BenchWorkflow): Promise<void> {
  const channel = new Channel(AdminServiceClient, connection);
  try {
    await channel.call<CreateWorkflowVersionResponse>((client, ...rest) =>
      client.putWorkflow(workflow.registration, ...rest),
    );
  } finally {
    channel.close();
  }
}

/** Exactly as many bytes as asked for, where the frame leaves room. */
function inputOf(bytes: number): Buffer {
  const frame = JSON.stringify({ data: '' }).length;
  return Buffer.from(JSON.stringify({ data: 'x'.repeat(Math.max(0, bytes - frame)) }));
}

/** CPU is told for a local engine only: the one of the data folder, if that is the one under load. */
function cpuSources(
  context: CliContext,
  flags: BenchFlags,
  connection: Connection,
  workerPids: readonly number[],
): CpuSources {
  const dataDir = dataFolder(context.cwd, flags.dataDir);
  const engine = runningEngine(dataDir);
  const isLocal = engine !== undefined && engine.grpc === connection.address;
  return { enginePid: isLocal ? engine.pid : undefined, dataDir: isLocal ? dataDir : undefined, workerPids };
}

type CpuPerTask = Record<keyof CpuReading, number | null>;

function difference(before: CpuReading, after: CpuReading, tasks: number): CpuPerTask {
  const part = (name: keyof CpuReading): number | null => {
    const [from, to] = [before[name], after[name]];
    return from === undefined || to === undefined || tasks === 0 ? null : Math.round(((to - from) / tasks) * 10) / 10;
  };
  return { engine: part('engine'), postgres: part('postgres'), worker: part('worker'), client: part('client') };
}

function summary(figures: LoadFigures, cpu: CpuPerTask) {
  const seconds = Math.max(0, figures.lastCompletionMs - figures.firstMs) / 1000;
  const sending = Math.max(0, figures.lastTriggerMs - figures.firstMs) / 1000;
  if (figures.triggered === 0) throw new CliError('no run was triggered', { remedy: 'See the engine’s log.' });
  return {
    tasks: figures.completedTasks,
    seconds: round(seconds),
    triggered_per_s: round(figures.triggered / sending),
    completed_per_s: seconds === 0 ? 0 : round(figures.completedRuns / seconds),
    lost: figures.triggered - figures.completedRuns,
    latency_ms: {
      trigger: percentiles(figures.triggerMs),
      start: percentiles(figures.startMs),
      complete: percentiles(figures.completeMs),
    },
    cpu_us_per_task: cpu,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function render(result: ReturnType<typeof summary>): string {
  const { latency_ms: latency, cpu_us_per_task: cpu } = result;
  const line = (name: keyof typeof latency): string =>
    `${name.padEnd(9)} p50 ${latency[name].p50} ms   p95 ${latency[name].p95} ms   p99 ${latency[name].p99} ms`;
  const parts = Object.entries(cpu).map(([name, value]) => `${name} ${value ?? 'unknown'}`);
  return [
    `${result.tasks} tasks in ${result.seconds} s: ${result.triggered_per_s} runs/s triggered, ${result.completed_per_s} runs/s completed, ${result.lost} lost`,
    line('trigger'),
    line('start'),
    line('complete'),
    `CPU µs a task: ${parts.join(', ')}`,
  ].join('\n');
}
