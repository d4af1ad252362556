import { HatchetError } from '../../engine/base/errors.ts';
import { delay, type HostTimer } from '../../engine/base/host.ts';
import type { WorkerMessage } from '../../engine/dispatch/worker-session.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import type { BatchReportItem } from '../../engine/plan/commands/attempts/batch-report.ts';
import type { AttemptReport } from './attempt-report.ts';
import { Chances } from './chances.ts';
import { DurableSide, type DurableWorker } from './durable-side.ts';
import { Unavailable, type SimulatedStream } from './network.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import { SessionSide } from './session-side.ts';
import type { SimulatedLink } from './simulated-link.ts';
import type { WorkerSurroundings } from './surroundings.ts';
import { toldByStream, type ToldStart, type ToldTask } from './told-task.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';

const heartbeatMs = 4_000;
const callMs = 10_000;

export interface WorkerFacts {
  name: string;
  tenantId: TenantId;
  slots: number;
  actions: readonly string[];
  labels: Readonly<Record<string, string | number>>;
}

interface Running {
  /** Its worker was told that it is over. */
  isCancelled: boolean;
}

/**
 * A worker that follows the SDK's protocol: it registers, listens, beats from a thread of its own, runs what it is sent, and
 * repeats each report until the engine has taken it.
 */
export class SimulatedWorker implements DurableWorker {
  readonly facts: WorkerFacts;
  /** Of its event loop. */
  readonly process: SimulatedProcess;
  /** Of the thread that beats. */
  readonly heart: SimulatedProcess;
  readonly #world: WorkerSurroundings;
  readonly #chances: Chances;
  readonly #running = new Map<string, Running>();
  readonly #durable: DurableSide;
  /** Where it speaks by a session. */
  readonly #session: SessionSide | undefined;
  #workerId: string | undefined;
  #engine: SimulatedEngine | undefined;
  #heartEngine: SimulatedEngine | undefined;
  #servedBy: SimulatedEngine | undefined;
  #stream: SimulatedStream<WorkerMessage, never> | undefined;
  #beating: HostTimer | undefined;
  #openSinceMs = Infinity;

  constructor(
    world: WorkerSurroundings,
    facts: WorkerFacts,
    processes: { process: SimulatedProcess; heart: SimulatedProcess },
    link?: SimulatedLink,
  ) {
    this.#world = world;
    this.facts = facts;
    this.process = processes.process;
    this.heart = processes.heart;
    this.#chances = new Chances(world.seed, `worker ${processes.process.name}`);
    this.#durable = new DurableSide(world, this);
    this.#session = link === undefined ? undefined : new SessionSide(link, this.#durable, (told) => this.#take(told));
  }

  get workerId(): string | undefined {
    return this.#workerId;
  }

  /** That it has reached. */
  get engine(): SimulatedEngine | undefined {
    return this.#session?.engine ?? this.#engine;
  }

  /** That has its stream. */
  get servedBy(): SimulatedEngine | undefined {
    return this.#session === undefined ? this.#servedBy : this.#session.servedBy;
  }

  /** How long it has been awake, with its stream open. */
  get wellForMs(): number {
    const openSinceMs = this.#session === undefined ? this.#openSinceMs : this.#session.openSinceMs;
    if (!this.#isListening) return 0;
    return Math.min(
      this.process.awakeForMs,
      this.heart.awakeForMs,
      this.#world.scheduler.nowMs - openSinceMs,
      ...[this.engine, this.#heartEngine].map((front) =>
        front === this.servedBy ? Infinity : (front?.process.awakeForMs ?? 0),
      ),
    );
  }

  /** Whether its stream is open, and there. */
  isServedBy(engine: SimulatedEngine): boolean {
    return this.#isListening && this.servedBy === engine;
  }

  get #isListening(): boolean {
    return this.#session === undefined ? this.#stream?.isOpen === true : this.#session.servedBy !== undefined;
  }

  /** Whether an engine may give it a task by its session. */
  canBeToldAt(engine: SimulatedEngine): boolean {
    return this.#session?.hasStreamAt(engine) ?? false;
  }

  /** Its tasks come by its session from an engine. @returns to call when they do no more */
  attachedAt(engine: SimulatedEngine): () => void {
    return this.#session?.attachedAt(engine, this.#world.scheduler.nowMs) ?? (() => undefined);
  }

  start(): void {
    void this.#live();
  }

  /** Its process ends at once. */
  end(): void {
    this.heart.end();
    this.process.end();
  }

  cutStream(): void {
    this.#stream?.cut();
    this.#session?.cut();
  }

  cutDurableStream(onCut: () => void): void {
    this.#durable.cutNext(onCut);
  }

  /** Calls an engine, with a deadline; the one that has the tenant's shard carries it out. */
  async call<T>(engine: SimulatedEngine, serve: (at: SimulatedEngine) => T | Promise<T>): Promise<T> {
    return this.#world.call(this.process, engine, { tenantId: this.facts.tenantId, serve, deadlineMs: callMs });
  }

  async #live(): Promise<void> {
    for (let tries = 0; !this.process.hasEnded; tries++) {
      try {
        const engine = this.#world.pickEngine(this.#chances);
        if (engine === undefined) throw new Error('no engine is there');
        this.#workerId ??= await this.#register(engine);
        const opened = (): void => void (tries = 0);
        if (this.#session === undefined) await this.#listen(engine, this.#workerId, opened);
        else await this.#listenBySession(engine, this.#workerId, this.#session);
      } catch (error) {
        if (error instanceof HatchetError && error.code === 'UNKNOWN_WORKER') this.#workerId = undefined;
      }
      await delay(this.process, this.#chances.between(100, Math.min(200 * 2 ** tries, 3_000)));
    }
  }

  #register(engine: SimulatedEngine): Promise<string> {
    const { name, tenantId, slots, actions, labels } = this.facts;
    return this.call(engine, async (at) => {
      const workerId = newId();
      await at.owner.submit({
        kind: 'registerWorker',
        tenantId,
        workerId,
        name,
        actions,
        slots: { default: slots },
        labels,
        runtime: {},
      });
      return workerId;
    });
  }

  /** Resolves when the stream has ended. */
  async #listen(engine: SimulatedEngine, workerId: string, onOpen: () => void): Promise<void> {
    const stream = this.#world.network.open<WorkerMessage, never>(this.process, engine.process);
    const ended = new Promise<void>((resolve) => {
      stream.onClientEnd = () => resolve();
    });
    stream.onClient = (message) => this.#take(toldByStream(message));
    this.#engine = engine;
    this.#openSinceMs = Infinity;
    this.#stream = stream;
    try {
      await this.#world.stream(this.process, engine, stream, {
        tenantId: this.facts.tenantId,
        begin: async (at, { send, fail, isOver }) => {
          await at.owner.served(this.facts.tenantId);
          if (isOver()) throw new Unavailable('the worker has gone');
          const detach = at.core.dispatcher.attach(this.facts.tenantId, workerId, {
            send: (message) => {
              this.#world.invariants.sent(at, message);
              send(message);
            },
            close: () => fail(new Unavailable('the engine ends the stream')),
          });
          this.#servedBy = at;
          this.#openSinceMs = this.#world.scheduler.nowMs;
          return { handle: () => undefined, end: detach };
        },
      });
      onOpen();
      this.#beat(engine, workerId);
      this.#durable.connect(engine, workerId);
      await ended;
    } finally {
      this.#beating?.clear();
      stream.cut();
      this.#durable.disconnect();
    }
  }

  async #listenBySession(engine: SimulatedEngine, workerId: string, session: SessionSide): Promise<void> {
    this.#beat(engine, workerId);
    try {
      await session.listen(workerId);
    } finally {
      this.#beating?.clear();
    }
  }

  #beat(engine: SimulatedEngine, workerId: string): void {
    this.#beating?.clear();
    const { tenantId } = this.facts;
    // A connection of its own: to whichever engine it comes.
    this.#heartEngine = this.#world.pickEngine(this.#chances) ?? engine;
    const beat = (): void => {
      const before = this.#heartEngine;
      if (before === undefined || before.process.hasEnded || !before.isReady)
        this.#heartEngine = this.#world.pickEngine(this.#chances) ?? before;
      this.#world
        .call(this.heart, this.#heartEngine ?? engine, {
          tenantId,
          serve: (at) => {
            if (at.owner.stateOf(tenantId) !== undefined) at.core.dispatcher.heartbeat(tenantId, workerId);
          },
          deadlineMs: heartbeatMs,
        })
        .catch((error: unknown) => {
          // Whoever is not known any more registers again.
          if (!(error instanceof HatchetError) || error.code !== 'UNKNOWN_WORKER') return;
          this.process.enter(() => {
            if (this.#workerId !== workerId) return;
            this.#workerId = undefined;
            this.#stream?.cut();
            this.#session?.leave();
          });
        });
    };
    beat();
    this.#beating = this.heart.setInterval(beat, heartbeatMs);
  }

  #take(message: ToldTask): void {
    if (message.kind === 'cancel') {
      const running = this.#running.get(keyOf(message));
      if (running !== undefined) running.isCancelled = true;
      this.#durable.cancel(message.taskId, message.invocation ?? 0);
      return;
    }
    if (message.kind === 'startBatch') return void this.#runBatch(message);
    this.#world.invariants.arrived(this.process.name, keyOf(message));
    if (message.invocation !== null) return this.#durable.start(message);
    void this.#run(message);
  }

  async #run(message: ToldStart): Promise<void> {
    const { tenantId } = this.facts;
    const { taskId, attempt } = message;
    const running: Running = { isCancelled: false };
    const key = keyOf(message);
    this.#running.set(key, running);
    const chances = new Chances(this.#world.seed, key);
    await delay(this.process, chances.between(1, 20));
    await this.report({ kind: 'started', tenantId, taskId, attempt });
    const isEndless = chances.is(0.02);
    await delay(
      this.process,
      isEndless ? 300_000 : chances.is(0.1) ? chances.between(2_000, 15_000) : chances.between(2, 800),
    );
    this.#running.delete(key);
    // Some do not listen to a cancel: their reports come late.
    if (running.isCancelled && chances.is(0.7)) return;
    if (chances.is(0.15))
      await this.report({
        kind: 'failed',
        tenantId,
        taskId,
        attempt,
        error: JSON.stringify({ message: 'it failed' }),
        mayRetry: chances.is(0.8),
      });
    else await this.report({ kind: 'completed', tenantId, taskId, attempt, output: `{"n":${chances.whole(0, 9)}}` });
  }

  async #runBatch(message: ToldTask & { kind: 'startBatch' }): Promise<void> {
    const { tenantId } = this.facts;
    const members: Record<string, { retry_count: number }> = JSON.parse(message.payload);
    const { batchId } = message;
    for (const [taskId, { retry_count: attempt }] of Object.entries(members))
      this.#world.invariants.arrived(this.process.name, `${taskId}/${attempt}/0`);
    const chances = new Chances(this.#world.seed, batchId);
    const report = (event: 'started' | 'completed' | 'failed'): Promise<void> => {
      const items = Object.keys(members).map((taskId): BatchReportItem => {
        const ref = { taskId, attempt: null };
        if (event === 'completed') return { event, ...ref, output: '{}' };
        if (event === 'failed') return { event, ...ref, error: JSON.stringify({ message: 'no' }), mayRetry: true };
        return { event, ...ref };
      });
      if (this.#session !== undefined) return this.#session.reportBatch(batchId, items);
      return this.#insist(async (engine) => {
        for (const { taskId } of items) engine.core.dispatcher.heard(tenantId, { taskId, attempt: null, batchId });
        await engine.owner.submit({ kind: 'batchReport', tenantId, batchId, items });
      });
    };
    await report('started');
    await delay(this.process, chances.between(2, 800));
    await report(chances.is(0.15) ? 'failed' : 'completed');
  }

  /** Says it until the engine has taken it. @param invocation of a durable task */
  report(report: AttemptReport, invocation?: number): Promise<void> {
    const { tenantId, taskId, attempt } = report;
    if (this.#session !== undefined) return this.#session.report(report, invocation);
    return this.#insist(async (engine) => {
      engine.core.dispatcher.heard(tenantId, { taskId, attempt, batchId: null });
      await engine.owner.submit(report);
    });
  }

  async #insist(say: (engine: SimulatedEngine) => Promise<void>): Promise<void> {
    for (let tries = 0; ; tries++) {
      const isAtHand = this.#engine?.process.hasEnded === false && !this.#chances.is(0.2);
      const engine = isAtHand ? this.#engine : this.#world.pickEngine(this.#chances);
      try {
        if (engine !== undefined) return await this.call(engine, say);
      } catch {
        // It is said again.
      }
      await delay(this.process, this.#chances.between(100, Math.min(200 * 2 ** tries, 5_000)));
    }
  }
}

function keyOf(message: { taskId: string; attempt: number; invocation: number | null }): string {
  return `${message.taskId}/${message.attempt}/${message.invocation ?? 0}`;
}
