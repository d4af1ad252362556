/**
 * What a long queue costs: memory a queued task, the start of a task of high priority, recovery after kill -9, and the
 * idle engine. `npm run bench:queued [tasks]`; prints one JSON object. Needs a build.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { credentials, Metadata } from '@grpc/grpc-js';
import { startEngine } from '../engine/index.ts';
import {
  ActionType,
  DispatcherClient,
  StepActionEventType,
  type AssignedAction,
} from '../proto/gen/hatchet/contract/dispatcher.ts';
import { Hatchet, Priority } from '../sdk/index.ts';
import { idleRate } from './idle-rate.ts';
import { endProcess, launchEngine, type BenchEngine } from './launch-engine.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rounds = 300;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A worker of bare calls, one slot wide. */
class OneSlot {
  readonly #client: DispatcherClient;
  readonly #metadata = new Metadata();
  #taken: { action: AssignedAction; atMs: number }[] = [];
  #wake: () => void = () => undefined;
  workerId = '';

  constructor(engine: BenchEngine) {
    this.#client = new DispatcherClient(engine.address, credentials.createInsecure());
    this.#metadata.set('authorization', `bearer ${engine.token}`);
  }

  async start(action: string): Promise<void> {
    this.workerId = await new Promise<string>((resolve, reject) => {
      this.#client.register(
        { workerName: 'one', actions: [action], services: [], labels: {}, slotConfig: { default: 1 } },
        this.#metadata,
        (error, reply) => (error === null ? resolve(reply.workerId) : reject(error)),
      );
    });
    const stream = this.#client.listenV2({ workerId: this.workerId }, this.#metadata);
    stream.on('error', () => undefined);
    stream.on('data', (taken: AssignedAction) => {
      if (taken.actionType !== ActionType.START_STEP_RUN) return;
      this.#taken.push({ action: taken, atMs: performance.now() });
      this.#wake();
    });
    await this.heartbeat();
  }

  heartbeat(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#client.heartbeat(
        { workerId: this.workerId, heartbeatAt: new Date() },
        this.#metadata,
        { deadline: Date.now() + 30_000 },
        (error) => resolve(error === null),
      );
    });
  }

  async next(): Promise<{ action: AssignedAction; atMs: number }> {
    for (;;) {
      const first = this.#taken.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  complete(action: AssignedAction): Promise<void> {
    const { jobId, jobRunId, taskId, taskRunExternalId, actionId, retryCount } = action;
    const event = {
      workerId: this.workerId,
      jobId,
      jobRunId,
      taskId,
      taskRunExternalId,
      actionId,
      retryCount,
      eventTimestamp: new Date(),
      eventType: StepActionEventType.STEP_EVENT_TYPE_COMPLETED,
      eventPayload: '{}',
    };
    return new Promise((resolve, reject) =>
      this.#client.sendStepActionEvent(event, this.#metadata, (error) => (error === null ? resolve() : reject(error))),
    );
  }

  close(): void {
    this.#client.close();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Milliseconds from a trigger of high priority to its start, where a slot of its own is free; and from the end of the one before it, where the queue is the same. */
async function startLatency(engine: BenchEngine, hatchet: Hatchet): Promise<{ otherQueue: number; sameQueue: number }> {
  const timed: number[] = [];
  const other = new OneSlot(engine);
  await other.start('urgent:urgent');
  for (let i = 0; i < rounds; i++) {
    const atMs = performance.now();
    await hatchet.runNoWait('urgent', {}, {});
    const taken = await other.next();
    timed.push(taken.atMs - atMs);
    await other.complete(taken.action);
  }
  other.close();
  const same = new OneSlot(engine);
  await same.start('queued:queued');
  const freed: number[] = [];
  await hatchet.runNoWait('queued', {}, { priority: Priority.HIGH });
  let held = await same.next();
  for (let i = 0; i < rounds; i++) {
    await hatchet.runNoWait('queued', {}, { priority: Priority.HIGH });
    const atMs = performance.now();
    const completed = same.complete(held.action);
    held = await same.next();
    freed.push(held.atMs - atMs);
    await completed;
  }
  await same.complete(held.action);
  same.close();
  return { otherQueue: round(median(timed)), sameQueue: round(median(freed)) };
}

/** In a process of its own, with garbage collected: what the memory of a recovered engine holds. */
async function measureMemory(dataDir: string): Promise<number> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), 'memory', dataDir],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface({ input: child.stdout })) if (/^\d+$/.test(line)) return Number(line);
  throw new Error('the measurement printed nothing');
}

async function printMemory(dataDir: string): Promise<void> {
  const engine = await startEngine({ dataDir, grpcPort: 0, httpPort: 0, logLevel: 'error' });
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await delay(50);
  }
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(`${heapUsed + external}\n`);
  await engine.stop();
}

async function run(tasks: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hatchet-queued-'));
  let engine = await launchEngine(dataDir);
  const note = (text: string): boolean => process.stderr.write(`${text}\n`);
  try {
    const idle = await idleRate(engine.databaseUrl, dataDir, 20);
    note(`idle: ${idle} statements/s`);
    let hatchet = Hatchet.init({ token: engine.token, logger: () => quiet });
    const queued = hatchet.task({ name: 'queued', scheduleTimeout: '24h', fn: () => ({}) });
    const urgent = hatchet.task({ name: 'urgent', fn: () => ({}) });
    const registering = await hatchet.worker('registers', { handleKill: false, workflows: [queued, urgent] });
    const running = registering.start();
    await registering.waitUntilReady();
    await registering.stop();
    await running;
    const empty = await startLatency(engine, hatchet);
    note(`start with nothing queued: ${JSON.stringify(empty)}`);
    await endProcess(engine.child, 'SIGTERM');
    const before = await measureMemory(dataDir);
    engine = await launchEngine(dataDir);
    hatchet.close();
    hatchet = Hatchet.init({ token: engine.token, logger: () => quiet });
    const again = hatchet.task({ name: 'queued', scheduleTimeout: '24h', fn: () => ({}) });
    const triggerMs = performance.now();
    for (let sent = 0; sent < tasks; sent += 10_000)
      await again.runNoWait(Array.from({ length: Math.min(10_000, tasks - sent) }, () => ({})));
    const triggered = performance.now() - triggerMs;
    note(`triggered in ${Math.round(triggered)} ms`);
    const full = await startLatency(engine, hatchet);
    note(`start with ${tasks} queued: ${JSON.stringify(full)}`);
    await endProcess(engine.child, 'SIGKILL');
    const killedMs = performance.now();
    engine = await launchEngine(dataDir);
    const readyMs = performance.now() - killedMs;
    const beats = new OneSlot(engine);
    await beats.start('other:other');
    const servedMs = performance.now() - killedMs;
    beats.close();
    await endProcess(engine.child, 'SIGTERM');
    const after = await measureMemory(dataDir);
    hatchet.close();
    const result = {
      tasks,
      triggered_ms: Math.round(triggered),
      start_ms: {
        empty,
        full,
        ratio: {
          otherQueue: round(full.otherQueue / empty.otherQueue),
          sameQueue: round(full.sameQueue / empty.sameQueue),
        },
      },
      bytes_per_task: round((after - before) / tasks),
      recovery_ms: { ready: Math.round(readyMs), heartbeat_answered: Math.round(servedMs) },
      idle_statements_per_s: idle,
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } finally {
    if (engine.child.exitCode === null && engine.child.signalCode === null) await endProcess(engine.child, 'SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const [, , mode = '100000', folder = ''] = process.argv;
if (mode === 'memory') await printMemory(folder);
else await run(Number(mode));
