/**
 * One measurement of `cpu-per-task.ts`, in a process of its own. Arguments: the file with the path through the planner, the
 * workload, and `planner`, `parameters` or `garbage`. Prints one JSON line. Garbage is counted in a heap that is too large to be
 * collected.
 */
import { randomUUID } from 'node:crypto';
import { PerformanceObserver } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type * as planPath from './plan-path.ts';
import { tenantOf } from '../../test/helpers/tenant.ts';

type PathModule = typeof planPath;

/** Transactions whose parameters are made again and again, where those are measured alone. */
const keptTransactions = 60;
/** Runs that are triggered in each transaction; as many of those before are started and completed in it. */
const runsPerTransaction = 160;

interface Workload {
  parents: number[][];
  runs: number;
}

const workloads: Record<string, Workload> = {
  plain: { parents: [[]], runs: 120_000 },
  dag: { parents: [[], [0], [1]], runs: 40_000 },
};

const [, , file = '', name = 'plain', mode = 'planner'] = process.argv;
const { commands, PlanPath }: PathModule = await import(pathToFileURL(file).href);
const { parents, runs } = workloads[name] ?? { parents: [[]], runs: 0 };

/** Ids that differ in all of their digits, as real ones do, and that no measurement has to make. */
const ids = Array.from({ length: 1_000 }, () => randomUUID().slice(8));
let idCount = 0;
function nextId(): string {
  const n = idCount++;
  return n.toString(16).padStart(8, '0') + (ids[n % ids.length] ?? '');
}

const tenantId = tenantOf(nextId());
const versionId = nextId();
const workflow = { tenantId, workflowId: nextId(), versionId };
const workerId = nextId();
const input = JSON.stringify({ customer: 'c-1042', amount: 12.5, note: 'a "short" input' });
const output = JSON.stringify({ ok: true, charged: 12.5 });

const path = new PlanPath();
let tasks = 0;
let wireBytes = 0;
const kept: ReturnType<typeof path.plan>[] = [];
let sent: { taskId: string; attempt: number }[] = [];
let running: { taskId: string; attempt: number }[] = [];

/** Microseconds of CPU of the whole process, the collector's threads with them. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function transaction(list: ReturnType<(typeof commands)['present']>[]): void {
  const changes = path.plan(list);
  if (mode === 'garbage') wireBytes += path.parameters(changes);
  if (mode === 'parameters') kept.push(changes);
  const dispatched = path.committed(changes);
  running = sent;
  sent = dispatched;
}

/** A steady stream: each transaction triggers, starts what was sent after the last, and completes what was started in it. */
function stream(count: number): void {
  for (let left = count; left > 0 || sent.length > 0 || running.length > 0; left -= runsPerTransaction) {
    const list = [];
    for (let n = 0; n < Math.min(left, runsPerTransaction); n++) {
      const runId = nextId();
      const taskIds = parents.length === 1 ? [runId] : parents.map(() => nextId());
      list.push(commands.trigger(workflow, runId, taskIds, input));
    }
    for (const { taskId, attempt } of sent) list.push(commands.started(tenantId, taskId, attempt));
    for (const { taskId, attempt } of running) list.push(commands.completed(tenantId, taskId, attempt, output));
    tasks += Math.max(0, Math.min(left, runsPerTransaction)) * parents.length;
    transaction(list);
  }
}

transaction([commands.putWorkflow(workflow, parents)]);
const actions = parents.map((_, index) => `wf:s${index}`);
transaction([commands.registerWorker(tenantId, workerId, actions, 100_000)]);
transaction([commands.present(workerId, tenantId)]);

const each = (value: number): number => Math.round((value / tasks) * 100) / 100;
let gcMs = 0;
let collections = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    gcMs += duration;
    collections++;
  }
}).observe({ entryTypes: ['gc'] });

/** What is collected from here on counts. */
async function collected(): Promise<void> {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  gcMs = 0;
  collections = 0;
}

/** @returns microseconds a task, of CPU and of collecting garbage */
async function timed(work: () => void): Promise<{ us: number; gcUs: number }> {
  await collected();
  const before = cpuUs();
  work();
  const us = cpuUs() - before;
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { us: each(us), gcUs: each(gcMs * 1000) };
}

const measurements: Record<string, () => Promise<object>> = {
  planner: async () => {
    stream(runs / 4); // the compiler is warm
    tasks = 0;
    return timed(() => stream(runs));
  },
  parameters: async () => {
    stream(keptTransactions * runsPerTransaction);
    const perPass = tasks;
    const pass = (): void => kept.forEach((changes) => (wireBytes += path.parameters(changes)));
    const passes = Math.ceil(runs / (keptTransactions * runsPerTransaction));
    for (let n = 0; n < passes / 3; n++) pass();
    tasks = perPass * passes;
    wireBytes = 0;
    const { us, gcUs } = await timed(() => {
      for (let n = 0; n < passes; n++) pass();
    });
    return { us, gcUs, wireBytes: each(wireBytes) };
  },
  garbage: async () => {
    stream(runs / 4);
    await collected();
    tasks = 0;
    const { heapUsed } = process.memoryUsage();
    stream(4_000);
    const bytes = process.memoryUsage().heapUsed - heapUsed;
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (collections > 0) throw new Error('garbage was collected while it was counted');
    return { bytes: each(bytes) };
  },
};

process.stdout.write(`${JSON.stringify(await measurements[mode]?.())}\n`);
