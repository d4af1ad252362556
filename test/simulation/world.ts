import { createHash } from 'node:crypto';
import { HatchetError } from '../../engine/base/errors.ts';
import { delay } from '../../engine/base/host.ts';
import { checkedMetadata } from '../../engine/model/payload/payload.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import { dateIdsBy, newId } from '../../engine/model/ids/uuid.ts';
import { cancelIds } from '../../engine/shard/prepare/cancel-ids.ts';
import { pushEvents } from '../../engine/shard/prepare/prepare-event.ts';
import { prepareRun } from '../../engine/shard/prepare/prepare-run.ts';
import { replayIds } from '../../engine/shard/prepare/replay-ids.ts';
import { Chances } from './chances.ts';
import { actions, eventKeys, leastSlots, workflows } from './definitions.ts';
import { Faults } from './faults.ts';
import { Invariants } from './invariants.ts';
import type { History, Move } from './moves.ts';
import { Network, Unavailable } from './network.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedEngine, type EngineWatch } from './simulated-engine.ts';
import { SimulatedProcess, type ProcessClocks } from './simulated-process.ts';
import { SimulatedWorker } from './simulated-worker.ts';
import { SimulatedStore, type ProcessConnector } from './store/store.ts';
import { Transaction } from './store/transaction.ts';

/** 2027-01-15, for all histories. */
const epochMs = 1_800_000_000_000;
/** Once nothing goes wrong any more, all that can go on has to be done within this. */
const boundMs = 20 * 60_000;
const callMs = 20_000;
/** Steps: more would not be a history but a loop. */
const mostSteps = 400_000;

export interface Outcome {
  violation: string | undefined;
  /** Of all that happened: equal for equal histories. */
  trace: string;
  steps: number;
  simulatedMs: number;
  runs: number;
  lines: readonly string[];
}

interface Place {
  name: string;
  clocks: Omit<ProcessClocks, 'monotonicMs'>;
  engine: SimulatedEngine | undefined;
  connector: ProcessConnector | undefined;
  starts: number;
}

/** A history of engines, their store, workers and callers, in simulated time. */
export class World {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly invariants: Invariants;
  readonly faults: Faults;
  readonly tenantIds: readonly string[];
  /** Where callers are. */
  readonly outside: SimulatedProcess;
  readonly #history: History;
  readonly #chances: Chances;
  readonly #places: Place[];
  readonly #workers: SimulatedWorker[] = [];
  readonly #hash = createHash('sha256');
  readonly #keepLines: boolean;
  readonly #lines: string[] = [];
  #storeAheadMs = 0;
  #mostAheadMs = 0;
  storeClockWasSet = false;
  #workersStarted = 0;
  /** Calls that have to come to an end. */
  #open = 0;
  #runIds: { tenantId: string; runId: string }[] = [];
  #hasHealed = false;

  constructor(history: History, { keepLines = false }: { keepLines?: boolean } = {}) {
    this.#history = history;
    this.#keepLines = keepLines;
    this.seed = history.seed;
    const order = new Chances(this.seed, 'order');
    this.scheduler = new Scheduler(() => order.number());
    this.#chances = new Chances(this.seed, 'callers');
    const ids = new Chances(this.seed, 'ids');
    dateIdsBy(() => this.storeUs / 1000, { nextUint32: () => ids.uint32() });
    this.outside = this.#process('callers');
    const weather = new Chances(this.seed, 'network');
    this.network = new Network(
      this.scheduler,
      Network.weather(weather, () => this.faults.lostCalls),
    );
    const latency = new Chances(this.seed, 'store');
    this.faults = new Faults(this.scheduler, latency);
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
    });
    this.invariants = new Invariants(this);
    this.tenantIds = this.#tenants(history.tenants);
    this.#places = history.engines.map(({ wallAheadMs, rate }, index) => ({
      name: `engine ${index + 1}`,
      clocks: { wallAheadMs, rate },
      engine: undefined,
      connector: undefined,
      starts: 0,
    }));
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
    for (const [index, place] of this.#places.entries())
      this.scheduler.at(engines[index]?.startMs ?? 0, () => this.#startEngine(place));
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
    }
    return {
      violation: this.invariants.violation,
      trace: this.#hash.digest('hex'),
      steps,
      simulatedMs: this.scheduler.nowMs,
      runs: this.#runIds.length,
      lines: this.#lines,
    };
  }

  /** As a load balancer does: an engine that is ready, where there is one. */
  pickEngine(chances: Chances): SimulatedEngine | undefined {
    const there = this.#engines.filter((engine) => engine.isListening);
    const ready = there.filter((engine) => engine.isReady);
    const from = ready.length > 0 ? ready : there;
    return from.length === 0 ? undefined : chances.pick(from);
  }

  /** @throws Unavailable, also where no answer has come in time */
  async call<T>(
    client: SimulatedProcess,
    engine: SimulatedEngine,
    serve: () => T | Promise<T>,
    deadlineMs: number,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = client.setTimeout(() => reject(new Unavailable('no answer came in time')), deadlineMs);
      this.network
        .call(client, engine.process, serve)
        .finally(() => timer.clear())
        .then(resolve, reject);
    });
  }

  get #engines(): SimulatedEngine[] {
    return this.#places.flatMap(({ engine }) => (engine === undefined || engine.process.hasEnded ? [] : [engine]));
  }

  #process(name: string, clocks: Omit<ProcessClocks, 'monotonicMs'> = { wallAheadMs: 0, rate: 1 }): SimulatedProcess {
    const chances = new Chances(this.seed, `process ${name}`);
    return new SimulatedProcess(name, this.scheduler, {
      clocks: { ...clocks, monotonicMs: chances.between(1, 1_000_000) },
      epochMs,
    });
  }

  /** Of shards of their own. */
  #tenants(count: number): string[] {
    const ids: string[] = [];
    const shards = new Set<number>();
    while (ids.length < count) {
      const id = newId();
      if (shards.has(shardOf(id))) continue;
      shards.add(shardOf(id));
      ids.push(id);
      this.store.put('tenant', { id, name: `tenant ${ids.length}` });
    }
    return ids;
  }

  #startEngine(place: Place): void {
    if (place.engine?.process.hasEnded === false) return;
    const process = this.#process(`${place.name}.${++place.starts}`, place.clocks);
    const connector = this.store.connector({
      name: process.name,
      host: process,
      deliver: (arrive) => void process.in(this.faults.storeLatencyMs(), arrive),
    });
    const engine = new SimulatedEngine(process, connector, this.#watch);
    place.engine = engine;
    place.connector = connector;
    this.note(`${process.name} starts`);
    engine.start().catch((error: unknown) => {
      if (process.hasEnded || place.engine !== engine) return;
      this.note(`${process.name} could not start: ${error instanceof Error ? error.message : String(error)}`);
      this.#endEngine(place, { noticedMs: 0, backMs: 1_000 });
    });
  }

  #endEngine(place: Place, { noticedMs, backMs }: { noticedMs: number; backMs: number }): void {
    if (place.engine === undefined || place.engine.process.hasEnded) return;
    this.note(`${place.engine.process.name} ends`);
    place.engine.process.end();
    place.connector?.crash(noticedMs > 0 ? noticedMs : undefined);
    this.scheduler.in(backMs, () => this.#startEngine(place));
  }

  readonly #watch: EngineWatch = {
    committed: (engine, history) => this.invariants.committed(engine, history),
    runEnded: (_, runId) => this.invariants.runEnded(runId),
    recovered: (engine, states) => this.invariants.recovered(engine, states),
    bug: (engine, line) => this.invariants.broken(`${engine.process.name} says: ${line.slice(0, 2000)}`),
    logged: (engine, line) => {
      if (line.includes('"a worker was lost')) this.#judgeLoss(engine, JSON.parse(line));
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
    const worker = this.#workers.find((each) => each.workerId === workerId && each.engine === engine);
    if (worker !== undefined && this.faults.wereCallsLost === false && worker.wellForMs > 35_000)
      this.invariants.broken(
        `${engine.process.name} lost ${worker.process.name}, which has been well for ${Math.round(worker.wellForMs)} ms`,
      );
  }

  /** Definitions, and then workers. */
  async #prepare(tenantId: string): Promise<void> {
    for (const definition of workflows) {
      const [workflowId, versionId] = [newId(), newId()];
      await this.#ask('insists', async (engine) =>
        engine.owner.submit(tenantId, {
          kind: 'putWorkflow',
          tenantId,
          definition,
          checksum: definition.name,
          workflowId,
          versionId,
          filterIds: [],
          crons: [],
        }),
      );
    }
    for (let n = 0; n < this.#history.workersOfTenant; n++)
      this.scheduler.in(this.#chances.between(0, 1_000), () => this.#startWorker(tenantId));
  }

  #startWorker(tenantId: string): void {
    const number = ++this.#workersStarted;
    const name = `worker ${number}`;
    const chances = new Chances(this.seed, name);
    const worker = new SimulatedWorker(
      this,
      { name, tenantId, slots: chances.whole(leastSlots, 4), actions, labels: {} },
      { process: this.#process(name), heart: this.#process(`${name} heart`) },
    );
    this.#workers.push(worker);
    worker.start();
  }

  /**
   * Asks an engine, as callers do: one that insists asks again until it is answered, the other one leaves it at one try.
   * @returns undefined where it was not answered, or refused
   */
  async #ask<T>(manner: 'insists' | 'tries', ask: (engine: SimulatedEngine) => Promise<T>): Promise<T | undefined> {
    this.#open++;
    try {
      for (let tries = 0; ; tries++) {
        try {
          const engine = this.pickEngine(this.#chances);
          if (engine !== undefined) return await this.call(this.outside, engine, async () => ask(engine), callMs);
        } catch (error) {
          const isPassing =
            error instanceof Unavailable ||
            (error instanceof HatchetError && ['NOT_OWNER', 'STOPPING', 'UNKNOWN_WORKFLOW'].includes(error.code));
          if (!isPassing) this.note(`refused: ${error instanceof Error ? error.message : String(error)}`);
          if (!isPassing || (manner === 'tries' && tries >= 1)) return undefined;
        }
        await delay(this.outside, this.#chances.between(50, 1_000));
      }
    } finally {
      this.#open--;
    }
  }

  async #trigger(
    tenantId: string,
    request: { workflowName: string; input: string; priority?: number },
    repeats: boolean,
  ): Promise<void> {
    // Without an id of its own a call that is repeated would start another run.
    const runId = repeats ? newId() : undefined;
    const reply = await this.#ask(repeats ? 'insists' : 'tries', async (engine) => {
      const run = await prepareRun(engine.owner, tenantId, {
        metadata: checkedMetadata(''),
        priority: undefined,
        ...request,
        runId,
      });
      return engine.owner.submit(tenantId, { kind: 'trigger', tenantId, runs: [run] });
    });
    for (const id of reply?.runIds ?? []) {
      this.note(`run ${id} is acknowledged`);
      this.invariants.acknowledged(id);
      this.#runIds.push({ tenantId, runId: id });
    }
  }

  #make(move: Move): void {
    if (this.#hasHealed) return;
    this.note(`move ${JSON.stringify(move)}`);
    const tenantId = 'tenant' in move ? (this.tenantIds[move.tenant % this.tenantIds.length] ?? '') : '';
    switch (move.do) {
      case 'trigger':
        for (let n = 0; n < move.count; n++)
          void this.#trigger(
            tenantId,
            { workflowName: move.workflow, input: JSON.stringify({ key: move.key }), priority: move.priority },
            move.repeats,
          );
        return;
      case 'durable':
        return void this.#trigger(
          tenantId,
          { workflowName: 'durable', input: JSON.stringify({ program: move.program }) },
          true,
        );
      case 'event':
        return void this.#push(tenantId, move.key);
      case 'cancel':
      case 'replay': {
        const run = this.#runIds[move.pick % Math.max(this.#runIds.length, 1)];
        if (run === undefined) return;
        return void this.#ask('tries', async (engine) =>
          move.do === 'cancel'
            ? cancelIds(engine.owner, run.tenantId, [run.runId])
            : replayIds(engine.owner, run.tenantId, [run.runId]),
        );
      }
      case 'schedule':
        return void this.#schedule(tenantId, move.inMs);
      case 'flood':
        return void this.#flood(tenantId, move);
      case 'stallEngine':
        return this.#engineOf(move.pick)?.engine?.process.stall(move.ms);
      case 'crashEngine': {
        const place = this.#engineOf(move.pick);
        if (place !== undefined) this.#endEngine(place, move);
        return;
      }
      case 'stopEngine': {
        const place = this.#engineOf(move.pick);
        if (place?.engine !== undefined) void this.#stopEngine(place, place.engine, move.backMs);
        return;
      }
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
        return this.#workerOf(move.pick)?.cutDurableStream();
      case 'crashStore':
        this.store.crash();
        return void this.scheduler.in(move.backMs, () => this.store.start());
      case 'stepStoreClock':
        this.#storeAheadMs += move.byMs;
        this.#mostAheadMs = Math.max(this.#mostAheadMs, this.#storeAheadMs);
        this.storeClockWasSet = true;
        return;
      case 'poison': {
        const run = this.#runIds[move.pick % Math.max(this.#runIds.length, 1)];
        if (run !== undefined) this.faults.poison(run.runId, move.forMs);
        return;
      }
      default:
        return this.faults.befall(move);
    }
  }

  async #push(tenantId: string, key: string): Promise<void> {
    await this.#ask('tries', async (engine) =>
      pushEvents(engine.owner, tenantId, [
        { key, payload: '{"key":"p"}', metadata: '', scope: undefined, priority: undefined },
      ]),
    );
  }

  async #schedule(tenantId: string, inMs: number): Promise<void> {
    const id = newId();
    await this.#ask('insists', async (engine) => {
      const state = await engine.owner.served(tenantId);
      const workflow = state.latestVersion(tenantId, 'timed');
      if (workflow === undefined) throw new Unavailable('the workflow is not there yet');
      return engine.owner.submit(tenantId, {
        kind: 'putSchedules',
        schedules: [
          {
            id,
            tenantId,
            workflowId: workflow.workflowId,
            dueUs: engine.owner.nowUs + Math.round(inMs * 1000),
            input: '{}',
            metadata: '{}',
            priority: null,
            parentTaskId: null,
          },
        ],
      });
    });
  }

  /** So many calls that the mailbox is never empty. */
  async #flood(tenantId: string, { forMs, everyMs }: { forMs: number; everyMs: number }): Promise<void> {
    const untilMs = this.scheduler.nowMs + forMs;
    const engine = this.pickEngine(this.#chances);
    if (engine === undefined) return;
    while (this.scheduler.nowMs < untilMs && !engine.process.hasEnded && !this.#hasHealed) {
      // What is unknown is passed over: it costs the engine a transaction, and nothing else.
      engine.process.enter(() => {
        engine.owner.submit(tenantId, { kind: 'cancel', tenantId, ids: ['-'] }).catch(() => undefined);
      });
      await delay(this.outside, everyMs);
    }
  }

  async #stopEngine(place: Place, engine: SimulatedEngine, backMs: number): Promise<void> {
    await engine.stop().catch(() => undefined);
    if (place.engine === engine) this.#endEngine(place, { noticedMs: 0, backMs });
  }

  #engineOf(pick: number): Place | undefined {
    const there = this.#places.filter(({ engine }) => engine !== undefined && !engine.process.hasEnded);
    return there[pick % Math.max(there.length, 1)];
  }

  #workerOf(pick: number): SimulatedWorker | undefined {
    const there = this.#workers.filter((worker) => !worker.process.hasEnded);
    return there[pick % Math.max(there.length, 1)];
  }

  /** Nothing goes wrong from now on: whoever stood still goes on, whoever is away comes back. */
  #heal(): void {
    this.note('heals');
    this.#hasHealed = true;
    this.faults.end();
    // What is due by a clock that was ahead would be waited for.
    this.#storeAheadMs = this.#mostAheadMs;
    this.store.start();
    for (const place of this.#places) {
      place.engine?.process.goOn();
      this.#startEngine(place);
    }
    for (const worker of this.#workers) {
      worker.process.goOn();
      worker.heart.goOn();
    }
    // What waits for an event is told of it, again and again.
    const push = (): void => {
      for (const tenantId of this.tenantIds)
        for (const key of eventKeys) if (key !== 'begin') void this.#push(tenantId, key);
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
    return this.#open === 0 && this.#unfinished.length === 0;
  }
  #nextLookMs = 0;

  #judge(): void {
    const lost = this.invariants.lost();
    if (lost.length > 0) return this.invariants.broken(`acknowledged runs are lost: ${lost.join()}`);
    const unfinished = this.#unfinished;
    if (unfinished.length > 0)
      return this.invariants.broken(
        `${unfinished.length} tasks have not ended ${boundMs / 60_000} minutes after all was well again: ${unfinished
          .slice(0, 5)
          .map((row) => JSON.stringify(row))
          .join('\n')}`,
      );
    if (this.#open > 0) this.invariants.broken(`${this.#open} calls were never answered`);
  }
}
