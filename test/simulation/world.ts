import { createHash } from 'node:crypto';
import { shardCount, shardOf } from '../../engine/model/ids/shard-of.ts';
import { dateIdsBy, newId } from '../../engine/model/ids/uuid.ts';
import { Callers } from './callers.ts';
import { Calm, settlingMs } from './calm.ts';
import { Chances } from './chances.ts';
import { actions, eventKeys, leastSlots } from './definitions.ts';
import { Engines } from './engines.ts';
import { Faults } from './faults.ts';
import { Invariants } from './invariants.ts';
import type { History, Move } from './moves.ts';
import { Programs } from './programs.ts';
import { Network, Unavailable, type SimulatedStream } from './network.ts';
import { PassingOn, type StreamAsked } from './passing-on.ts';
import { SlowReader } from './slow-reader.ts';
import { Scheduler } from './scheduler.ts';
import type { EngineWatch, SimulatedEngine } from './simulated-engine.ts';
import { SimulatedProcess, type ProcessClocks } from './simulated-process.ts';
import { SimulatedWorker } from './simulated-worker.ts';
import type { CallAsked } from './surroundings.ts';
import { SimulatedStore } from './store/store.ts';
import { Blocked, Transaction } from './store/transaction.ts';
import { newTenantId, noTenant, type TenantId } from '../../engine/model/ids/tenant-id.ts';

/** 2027-01-15, for all histories. */
const epochMs = 1_800_000_000_000;
/** Once nothing goes wrong any more, all that can go on has to be done within this. */
const boundMs = 20 * 60_000;
/** A stream that nobody serves within this is opened anew. */
const openMs = 10_000;
/** Steps: more would not be a history but a loop. */
const mostSteps = 400_000;

export interface Outcome {
  violation: string | undefined;
  /** Of all that happened: equal for equal histories. */
  trace: string;
  steps: number;
  simulatedMs: number;
  runs: number;
  /** Transactions that were let out with another one planned already. */
  ahead: number;
  lines: readonly string[];
}

/** A history of engines, their store, workers and callers, in simulated time. */
export class World {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly passingOn: PassingOn;
  readonly engines: Engines;
  readonly invariants: Invariants;
  readonly faults: Faults;
  readonly tenantIds: readonly TenantId[];
  /** Where callers are. */
  readonly outside: SimulatedProcess;
  readonly #history: History;
  readonly #callers: Callers;
  readonly #programs: Programs;
  readonly #bySession: Chances;
  readonly #workers: SimulatedWorker[] = [];
  readonly #hash = createHash('sha256');
  readonly #keepLines: boolean;
  readonly #lines: string[] = [];
  #storeAheadMs = 0;
  #mostAheadMs = 0;
  storeClockWasSet = false;
  #workersStarted = 0;
  #calm: Calm | undefined;
  #slowReader: SlowReader | undefined;
  hasHealed = false;

  constructor(history: History, { keepLines = false }: { keepLines?: boolean } = {}) {
    this.#history = history;
    this.#keepLines = keepLines;
    this.seed = history.seed;
    const order = new Chances(this.seed, 'order');
    this.scheduler = new Scheduler(() => order.number());
    this.#callers = new Callers(this);
    this.#programs = new Programs(this, this.#callers);
    this.#bySession = new Chances(this.seed, 'by session');
    const ids = new Chances(this.seed, 'ids');
    dateIdsBy(() => this.storeUs / 1000, { nextUint32: () => ids.uint32() });
    this.outside = this.#process('callers');
    const weather = new Chances(this.seed, 'network');
    this.network = new Network(
      this.scheduler,
      Network.weather(weather, () => this.faults.lostCalls),
    );
    this.passingOn = new PassingOn({
      network: this.network,
      engines: () => this.engines.all,
      nowMs: () => this.scheduler.nowMs,
    });
    const latency = new Chances(this.seed, 'store');
    this.faults = new Faults(this.scheduler, latency, new Chances(this.seed, 'answers'));
    this.store = new SimulatedStore({
      machine: {
        nowUs: () => this.storeUs,
        after: (ms, run) => {
          const happening = this.scheduler.in(ms, run);
          return { clear: () => happening.callOff() };
        },
        deliver: (arrive) => void this.scheduler.in(this.faults.storeLatencyMs(), arrive),
      },
      faults: this.faults,
      refused: (error) => this.invariants.refused(error),
    });
    this.invariants = new Invariants(this);
    this.tenantIds = this.#tenants(history);
    this.engines = new Engines({
      scheduler: this.scheduler,
      store: this.store,
      faults: this.faults,
      passingOn: this.passingOn,
      watch: this.#watch,
      planAheadFrom: (engine) => new Chances(this.seed, `ahead ${engine}`).pick([1, 1, 8, 128]),
      hasHealed: () => this.hasHealed,
      process: (name, clocks) => this.#process(name, clocks),
      note: (line) => this.note(line),
    });
  }

  /** The store's clock. */
  get storeUs(): number {
    return Math.floor((epochMs + this.#storeAheadMs + this.scheduler.nowMs) * 1000);
  }

  /** What happened, for the trace. */
  note(line: string): void {
    const text = `${this.scheduler.nowMs.toFixed(3)} ${line}\n`;
    this.#hash.update(text);
    if (this.#keepLines) this.#lines.push(text.trimEnd());
  }

  async run(): Promise<Outcome> {
    const { engines, moves, endMs } = this.#history;
    for (const engine of engines) this.engines.add(engine);
    for (const tenantId of this.tenantIds) void this.#prepare(tenantId);
    for (const move of moves) this.scheduler.at(move.atMs, () => this.#make(move), 0);
    let steps = 0;
    const go = async (untilMs: number, isDone: () => boolean): Promise<void> => {
      while (this.invariants.violation === undefined && !isDone()) {
        if (++steps > mostSteps) return this.invariants.broken(`${mostSteps} steps did not bring it to an end`);
        if (!(await this.scheduler.step(untilMs))) return;
        await this.invariants.afterStep();
      }
    };
    await go(endMs, () => false);
    if (this.invariants.violation === undefined) {
      this.#heal();
      await go(endMs + boundMs, () => this.#isDone);
      if (this.invariants.violation === undefined) this.#judge();
      if (this.#history.sessions?.hasSlowReaderAfter === true) await this.#readSlowly(go);
      if (this.#history.isCalmAfter === true) await this.#stayCalm(go);
    }
    return {
      violation: this.invariants.violation,
      trace: this.#hash.digest('hex'),
      steps,
      simulatedMs: this.scheduler.nowMs,
      runs: this.#callers.runs.length,
      ahead: this.invariants.ahead,
      lines: this.#lines,
    };
  }

  pickEngine(chances: Chances): SimulatedEngine | undefined {
    return this.engines.pick(chances);
  }

  servingEngine(tenantId: TenantId): SimulatedEngine | undefined {
    return this.engines.serving(tenantId);
  }

  /** @throws Unavailable, also where no answer has come in time */
  async call<T>(
    client: SimulatedProcess,
    engine: SimulatedEngine,
    { tenantId, serve, deadlineMs }: CallAsked<T>,
  ): Promise<T> {
    const startMs = this.scheduler.nowMs;
    return this.#within(client, deadlineMs, () =>
      this.network.call(client, engine.process, () => this.passingOn.unary(engine, tenantId, serve)),
    ).finally(() => this.#calm?.called(this.scheduler.nowMs - startMs));
  }

  async stream<ToClient, ToServer>(
    client: SimulatedProcess,
    engine: SimulatedEngine,
    stream: SimulatedStream<ToClient, ToServer>,
    asked: StreamAsked<ToClient, ToServer>,
  ): Promise<void> {
    const early: ToServer[] = [];
    stream.onServer = (message) => void early.push(message);
    return this.#within(client, openMs, () =>
      this.network.call(client, engine.process, () => this.passingOn.stream(engine, stream, { ...asked, early })),
    );
  }

  #within<T>(client: SimulatedProcess, deadlineMs: number, run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = client.setTimeout(() => reject(new Unavailable('no answer came in time')), deadlineMs);
      run()
        .finally(() => timer.clear())
        .then(resolve, reject);
    });
  }

  /** One program reads nothing for a while, and nothing else goes wrong. */
  async #readSlowly(go: (untilMs: number, isDone: () => boolean) => Promise<void>): Promise<void> {
    const slowReader = new SlowReader({
      scheduler: this.scheduler,
      programs: this.#programs,
      invariants: this.invariants,
      chances: new Chances(this.seed, 'slow reader'),
    });
    this.#slowReader = slowReader;
    const [slow] = this.#programs.all;
    if (slow === undefined) return;
    const others = this.tenantIds.map((id, n) => this.#programs.start(this.#process(`other program ${n}`), id));
    slowReader.start(slow, others);
    await go(this.scheduler.nowMs + boundMs, () => !slowReader.isSlow && this.#isDone);
    if (this.invariants.violation === undefined) this.#judge();
  }

  /** Nothing goes wrong for some minutes more. */
  async #stayCalm(go: (untilMs: number, isDone: () => boolean) => Promise<void>): Promise<void> {
    this.#calm = new Calm({
      scheduler: this.scheduler,
      engines: this.engines,
      callers: this.#callers,
      workers: () => this.#workers,
      tenantIds: this.tenantIds,
      faults: this.faults,
      invariants: this.invariants,
    });
    await go(this.scheduler.nowMs + settlingMs(this.#history), () => false);
    if (this.invariants.violation === undefined) this.#calm.judgeShares();
    void this.#calm.roll();
    await go(this.scheduler.nowMs + boundMs, () => this.#calm?.isRolling === false && this.#isDone);
    if (this.invariants.violation === undefined) this.#judge();
  }

  #process(name: string, clocks: Omit<ProcessClocks, 'monotonicMs'> = { wallAheadMs: 0, rate: 1 }): SimulatedProcess {
    const chances = new Chances(this.seed, `process ${name}`);
    return new SimulatedProcess(name, this.scheduler, {
      clocks: { ...clocks, monotonicMs: chances.between(1, 1_000_000) },
      epochMs,
    });
  }

  /** Of shards of their own. Those of the other shards have workers that are away, where the history says so. */
  #tenants({ tenants, othersWorkers = 0 }: History): TenantId[] {
    const ids = new Map<number, TenantId>();
    while (ids.size < (othersWorkers > 0 ? shardCount : tenants)) {
      const id = newTenantId();
      if (ids.has(shardOf(id))) continue;
      ids.set(shardOf(id), id);
      this.store.put('tenant', { id, name: `tenant ${ids.size}` });
      for (let n = 0; n < othersWorkers && ids.size > tenants; n++)
        this.store.put('worker', {
          id: newId(),
          tenant_id: id,
          name: `worker ${n} of tenant ${ids.size}`,
          actions: [],
          slots: '{"default":1}',
          labels: '{}',
          runtime: '{}',
        });
    }
    return [...ids.values()].slice(0, tenants);
  }

  readonly #watch: EngineWatch = {
    committed: (engine, history, nodes) => {
      // As where payloads are large: what is started later is read for.
      if (this.faults.isDispatchSlow) for (const { runId } of history) engine.core.dispatcher.payloads.forgetRun(runId);
      this.invariants.committed(engine, history, nodes);
    },
    runEnded: (_, runId) => {
      this.invariants.runEnded(runId);
      this.#slowReader?.runEnded(runId);
    },
    told: (engine, workerId, message) => {
      this.invariants.sent(engine, message);
      const worker = this.#workers.find((each) => each.workerId === workerId);
      // One that stops has closed all of them.
      if (engine.isListening && worker?.canBeToldAt(engine) === false)
        this.invariants.broken(
          `${worker.process.name} is given a task by ${engine.process.name} after its stream was cut`,
        );
    },
    answered: (response) => this.invariants.answered(response),
    attached: (engine, workerId) =>
      this.#workers.find((worker) => worker.workerId === workerId)?.attachedAt(engine) ?? (() => undefined),
    recovered: (engine, states) => this.invariants.recovered(engine, states),
    bug: (engine, line) => this.invariants.broken(`${engine.process.name} says: ${line.slice(0, 2000)}`),
    logged: (engine, line) => {
      if (line.includes('"a worker was lost')) this.#judgeLoss(engine, JSON.parse(line));
      if (line.includes('"shards were handed over')) this.invariants.handedOver(engine, JSON.parse(line));
      if (line.includes('"shards were lost')) this.invariants.lostShards(engine, JSON.parse(line));
      if (!this.#keepLines) return;
      const { msg, err, ...rest }: { msg: string; err?: { message: string } } = JSON.parse(line);
      const why = err === undefined ? '' : `: ${err.message}`;
      this.#lines.push(
        `${this.scheduler.nowMs.toFixed(3)} ${engine.process.name} log ${msg}${why} ${JSON.stringify(rest)}`,
      );
    },
  };

  /** Whoever has been there and well for longer than the time-out is not lost, whatever befell its engine. */
  #judgeLoss(engine: SimulatedEngine, { workerId }: { workerId: string }): void {
    const worker = this.#workers.find((each) => each.workerId === workerId && each.servedBy === engine);
    if (worker !== undefined && !this.faults.wereCallsLost && worker.wellForMs > 35_000)
      this.invariants.broken(
        `${engine.process.name} lost ${worker.process.name}, which has been well for ${Math.round(worker.wellForMs)} ms`,
      );
  }

  /** Definitions, and then workers. */
  async #prepare(tenantId: TenantId): Promise<void> {
    await this.#callers.define(tenantId);
    if (this.#history.sessions !== undefined)
      this.#programs.start(this.#process(`program ${this.tenantIds.indexOf(tenantId) + 1}`), tenantId);
    for (let n = 0; n < this.#history.workersOfTenant; n++)
      this.scheduler.in(this.#callers.chances.between(0, 1_000), () => this.#startWorker(tenantId));
  }

  #startWorker(tenantId: TenantId): void {
    const number = ++this.#workersStarted;
    const name = `worker ${number}`;
    const chances = new Chances(this.seed, name);
    const process = this.#process(name);
    const { workers: share = 0 } = this.#history.sessions ?? {};
    const speaksBySession = new Chances(this.seed, `${name} by session`).is(share);
    const worker = new SimulatedWorker(
      this,
      { name, tenantId, slots: chances.whole(leastSlots, 4), actions, labels: {} },
      { process, heart: this.#process(`${name} heart`) },
      speaksBySession ? this.#programs.start(process, tenantId) : undefined,
    );
    this.#workers.push(worker);
    worker.start();
  }

  #make(move: Move): void {
    if (this.hasHealed) return;
    this.note(`move ${JSON.stringify(move)}`);
    const tenantId = 'tenant' in move ? (this.tenantIds[move.tenant % this.tenantIds.length] ?? noTenant) : noTenant;
    switch (move.do) {
      case 'trigger':
        for (let n = 0; n < move.count; n++) {
          const run = { workflowName: move.workflow, input: { key: move.key }, priority: move.priority };
          if (this.#goesBySession) this.#programs.trigger(tenantId, run, move.repeats);
          else void this.#callers.trigger(tenantId, run, move.repeats);
        }
        return;
      case 'awaitRun': {
        const run = this.#callers.runAt(move.pick);
        const program = run === undefined ? undefined : this.#programs.of(run.tenantId)[0];
        if (run !== undefined && program !== undefined) this.#programs.awaitBy(program, run.runId);
        return;
      }
      case 'cutLink':
        return this.#programs.at(move.pick)?.cut(move);
      case 'holdLink':
        return this.#programs.at(move.pick)?.hold(move.to, move.ms);
      case 'stopReading':
        return this.#programs.at(move.pick)?.stopReading(move.ms);
      case 'stallProgram':
        return this.#programs.at(move.pick)?.process.stall(move.ms);
      case 'loseFrames': {
        const program = this.#programs.at(move.pick);
        if (program === undefined) return;
        program.loseFrames(move);
        // Runs that are started, and end, in what it does not hear.
        for (let n = 0; n < move.triggers; n++)
          this.#programs.triggerBy(program, { workflowName: 'single', input: { key: 'p' } }, true);
        return;
      }
      case 'durable':
        return void this.#callers.trigger(
          tenantId,
          { workflowName: 'durable', input: { program: move.program } },
          true,
        );
      case 'event':
        return void this.#callers.push(tenantId, move.key);
      case 'cancel':
      case 'replay':
        return void this.#callers.change(move.do, move.pick);
      case 'schedule':
        return void this.#callers.schedule(tenantId, move.inMs);
      case 'flood':
        return this.#callers.flood(tenantId, move);
      case 'stallEngine':
        return this.engines.stall(move.pick, move.ms);
      case 'crashEngine':
        return this.engines.crash(move.pick, move);
      case 'stopEngine':
        return this.engines.stop(move.pick, move.backMs);
      case 'joinEngine':
        return this.engines.add({ wallAheadMs: 0, rate: 1, startMs: this.scheduler.nowMs });
      case 'retireEngine':
        return this.engines.retire(move.pick, move.how, move.noticedMs);
      case 'rollEngines':
        return void this.engines.roll(move.backMs);
      case 'isolateEngine': {
        const engine = this.engines.at(move.pick);
        if (engine === undefined) return;
        this.faults.isolate(engine.process.name, move);
        // Calls that are not repeated, to be under way in the transaction that it does not hear of.
        for (const id of this.tenantIds)
          void this.#callers.trigger(id, { workflowName: 'single', input: { key: 'p' } }, false);
        return;
      }
      case 'cutEngines':
        this.faults.wereCallsLost = true;
        return this.passingOn.cut(move.forMs);
      case 'stallWorker': {
        const worker = this.#workerOf(move.pick);
        worker?.process.stall(move.ms);
        return worker?.heart.stall(move.ms);
      }
      case 'blockWorker':
        return this.#workerOf(move.pick)?.process.stall(move.ms);
      case 'crashWorker': {
        const worker = this.#workerOf(move.pick);
        if (worker === undefined) return;
        worker.end();
        return void this.scheduler.in(move.backMs, () => this.#startWorker(worker.facts.tenantId));
      }
      case 'vanishWorker': {
        const worker = this.#workerOf(move.pick);
        if (worker === undefined) return;
        // Its machine is gone: nobody hears of it, until it is back as another one.
        worker.process.stall(move.backMs);
        worker.heart.stall(move.backMs);
        return void this.scheduler.in(move.backMs, () => {
          if (worker.process.hasEnded) return;
          worker.end();
          this.#startWorker(worker.facts.tenantId);
        });
      }
      case 'cutWorker':
        return this.#workerOf(move.pick)?.cutStream();
      case 'cutDurable':
        return this.#workerOf(move.pick)?.cutDurableStream(() => {
          if (move.slowMs > 0 && !this.hasHealed) this.faults.slow(3_000, move.slowMs);
        });
      case 'takeShard':
        return this.#takeShard(shardOf(tenantId));
      case 'crashStore':
        this.store.crash();
        this.invariants.storeCrashed();
        return void this.scheduler.in(move.backMs, () => this.store.start());
      case 'stepStoreClock':
        this.#storeAheadMs += move.byMs;
        this.#mostAheadMs = Math.max(this.#mostAheadMs, this.#storeAheadMs);
        this.storeClockWasSet = true;
        return;
      case 'poison': {
        const run = this.#callers.runAt(move.pick);
        if (run !== undefined) this.faults.poison(run.runId, move.forMs);
        return;
      }
      default:
        return this.faults.befall(move);
    }
  }

  /** A process that nobody knows takes a shard over, and is gone. */
  #takeShard(id: number): void {
    try {
      this.store.change((transaction) => {
        const { shard } = this.store.tables;
        const row = shard.get(transaction, id);
        if (row !== undefined) shard.update(transaction, row, { owner: newId(), epoch: row.epoch + 1 });
      });
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
      if (!this.hasHealed) this.scheduler.in(5, () => this.#takeShard(id));
    }
  }

  get #goesBySession(): boolean {
    const { sessions } = this.#history;
    return sessions !== undefined && this.#bySession.is(sessions.triggers);
  }

  #workerOf(pick: number): SimulatedWorker | undefined {
    const there = this.#workers.filter((worker) => !worker.process.hasEnded);
    return there[pick % Math.max(there.length, 1)];
  }

  /** Nothing goes wrong from now on: whoever stood still goes on, whoever is away comes back. */
  #heal(): void {
    this.note('heals');
    this.hasHealed = true;
    this.faults.end();
    // What is due by a clock that was ahead would be waited for.
    this.#storeAheadMs = this.#mostAheadMs;
    this.store.start();
    this.engines.heal();
    for (const program of this.#programs.all) {
      program.process.goOn();
      program.heal();
    }
    for (const worker of this.#workers) {
      worker.process.goOn();
      worker.heart.goOn();
    }
    // What waits for an event is told of it, again and again.
    const push = (): void => {
      for (const tenantId of this.tenantIds)
        for (const key of eventKeys) if (key !== 'begin') void this.#callers.push(tenantId, key);
      this.scheduler.in(10_000, push);
    };
    push();
  }

  get #unfinished(): { task_id: string; state: number }[] {
    const at = new Transaction(this.storeUs);
    return this.tenantIds.flatMap((tenantId) => this.store.tables.live.find(at, 'shard', shardOf(tenantId)));
  }

  get #isDone(): boolean {
    if (this.scheduler.nowMs < this.#nextLookMs) return false;
    this.#nextLookMs = this.scheduler.nowMs + 250;
    return this.#callers.areAnswered && this.#programs.open === 0 && this.#unfinished.length === 0;
  }
  #nextLookMs = 0;

  #judge(): void {
    const lost = this.invariants.lost();
    if (lost.length > 0) return this.invariants.broken(`acknowledged runs are lost: ${lost.join()}`);
    const doubled = this.invariants.doubled();
    if (doubled.length > 0) return this.invariants.broken(`calls were carried out twice: ${doubled.join()}`);
    const unfinished = this.#unfinished;
    if (unfinished.length > 0)
      return this.invariants.broken(
        `${unfinished.length} tasks have not ended ${boundMs / 60_000} minutes after all was well again: ${unfinished
          .slice(0, 5)
          .map((row) => JSON.stringify(row))
          .join('\n')}`,
      );
    if (!this.#callers.areAnswered) this.invariants.broken(`${this.#callers.openCalls} calls were never answered`);
    if (this.#programs.open > 0) this.invariants.broken(`${this.#programs.open} calls of programs were never answered`);
  }
}
