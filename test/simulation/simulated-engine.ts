import { pino, type Logger } from 'pino';
import { masterKey, Sealer } from '../../engine/auth/secrets/sealer.ts';
import { AwakeClock } from '../../engine/base/awake-clock.ts';
import { delay } from '../../engine/base/host.ts';
import { movedAway } from '../../engine/base/not-owner.ts';
import type { WorkerMessage } from '../../engine/dispatch/worker-session.ts';
import { Caller } from '../../engine/edge/access/caller.ts';
import type { Commands, ParsedCommand } from '../../engine/edge/parsed-commands.ts';
import type { DurableResponse } from '../../engine/grpc/durable/durable-stream.ts';
import { OpenSessions } from '../../engine/grpc/session/open-sessions.ts';
import type { SessionPorts } from '../../engine/grpc/session/program-session.ts';
import { sessionPorts } from '../../engine/grpc/session/session-service.ts';
import { shardOf } from '../../engine/model/ids/shard-of.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';
import type { Peer } from '../../engine/model/replica.ts';
import type { HistoryRow } from '../../engine/model/stored-rows.ts';
import type { ReplyByKind, TenantCommandKind } from '../../engine/plan/commands/command.ts';
import { NodeResults } from '../../engine/monitor/durable/node-results.ts';
import { RunEndWaiters } from '../../engine/monitor/runs/run-end-waiters.ts';
import { connectionConfig } from '../../engine/postgres/connect.ts';
import { PostgresClock, timeOf } from '../../engine/postgres/postgres-clock.ts';
import type { Connector, SqlPool } from '../../engine/postgres/sql-client.ts';
import type { ShardState } from '../../engine/plan/state/shard-state.ts';
import { ForwardedFor } from '../../engine/replicas/forwarded-for.ts';
import { RoutesToPeers } from '../../engine/replicas/routes-to-peers.ts';
import type { Owner } from '../../engine/shard/owner.ts';
import { EngineCore } from '../../engine/wiring/engine-core.ts';
import { isLive } from '../../engine/wiring/is-live.ts';
import type { SimulatedProcess } from './simulated-process.ts';

export interface EngineWatch {
  /** A transaction is stored, and its effects are out. */
  committed(engine: SimulatedEngine, history: readonly HistoryRow[], nodes: readonly { taskId: string }[]): void;
  /** Those who wait are told that a run has ended. */
  runEnded(engine: SimulatedEngine, runId: string): void;
  recovered(engine: SimulatedEngine, states: readonly ShardState[]): void;
  /** What the engine itself calls a bug. */
  bug(engine: SimulatedEngine, line: string): void;
  logged(engine: SimulatedEngine, line: string): void;
  /** A worker is about to be told something by its program's session. */
  told(engine: SimulatedEngine, workerId: string, message: WorkerMessage): void;
  /** A durable task is about to be told something by its program's session. */
  answered(response: DurableResponse): void;
  /** A worker's tasks come by its program's session from now on. @returns to call when they do no more */
  attached(engine: SimulatedEngine, workerId: string): () => void;
}

const url = 'postgres://simulated';
/** What a durable task is told has to be read at times, and cannot be while nobody can connect: its stream ends. */
const storeIsAway = /"code":"ECONNREFUSED"/;
const workerTimeoutMs = 30_000;
/** At a stop, as `Replica` has them. */
const longestHandOverMs = 10_000;
const longestFarewellMs = 5_000;
const farewellLookMs = 50;
const drainMs = 2_000;
/** Of sessions: dozens of runs reach them. */
const sessionLimits = { mostCommands: 60, mostBytes: 4_000, mostUnacknowledged: 1_500 };
const mostKeptOfSessions = 6_000;
const forwardedFor = new ForwardedFor(new Sealer([masterKey(Buffer.alloc(32))]));

/** A stream that an engine serves. */
interface HeldStream {
  tenantId: TenantId;
  end: (error: Error) => void;
}

/** An engine process: all that carries out commands, without ports, monitor and maintenance. */
export class SimulatedEngine {
  readonly process: SimulatedProcess;
  readonly core: EngineCore;
  readonly results: NodeResults;
  readonly log: Logger;
  readonly commands: Commands;
  readonly sessions: OpenSessions;
  readonly sessionPorts: SessionPorts;
  /** Calls of tenants whose shards other engines have. */
  readonly routes: RoutesToPeers<SimulatedEngine>;
  /** Streams that clients have opened here, whoever serves them. */
  readonly clients = new Set<{ cut(): void }>();
  readonly #held = new Set<HeldStream>();
  readonly #awake: AwakeClock;
  readonly #clock: PostgresClock;
  readonly #pool: SqlPool;
  #started = false;
  #hasJoined = false;
  #isLeaving = false;
  #ownerId: string | undefined;

  /** @param options.connected another engine, where it can be reached */
  constructor(
    process: SimulatedProcess,
    connector: Connector,
    watch: EngineWatch,
    {
      connected,
      planAheadFrom,
    }: {
      connected: (from: SimulatedEngine, peer: Peer) => Promise<SimulatedEngine | undefined>;
      /** From how many waiting rows on it plans beside a commit. */
      planAheadFrom: number;
    },
  ) {
    this.process = process;
    this.log = pino(
      { level: 'info', base: null, timestamp: false },
      {
        write: (line) => {
          watch.logged(this, line);
          if (line.includes('is a bug') && !storeIsAway.test(line)) watch.bug(this, line);
        },
      },
    );
    this.#awake = new AwakeClock(process);
    const named: Connector = {
      client: (config) => {
        // The lane's name says whose it is.
        const [, id] = /^hatchet lane (.+)$/.exec(config.application_name ?? '') ?? [];
        this.#ownerId = id ?? this.#ownerId;
        return connector.client(config);
      },
      pool: (config, log) => connector.pool(config, log),
    };
    this.#pool = connector.pool({ ...connectionConfig(url, 'hatchet dispatch'), max: 2 }, this.log);
    this.#clock = new PostgresClock({
      read: timeOf(connector.pool({ ...connectionConfig(url, 'hatchet writes'), max: 3 }, this.log)),
      awake: this.#awake,
      log: this.log,
      jumped: () => this.owner.wakeForTimers(),
      host: process,
    });
    const runEnds: RunEndWaiters = new RunEndWaiters({
      pool: connector.pool({ ...connectionConfig(url, 'hatchet reads'), max: 8 }, this.log),
      log: this.log,
      isLive: (tenantId, runId) => isLive(this.owner, tenantId, runId),
      host: process,
    });
    this.core = new EngineCore({
      config: connectionConfig(url, 'hatchet lane'),
      clock: this.#clock,
      awake: this.#awake,
      log: this.log,
      workerTimeoutMs,
      planAheadFrom,
      mostDeaths: 3,
      // Two waiters are as many as two hundred: what wakes them goes on in later transactions.
      wakingLimits: {
        tasks: 2,
        tasksBesideOthers: 1,
        looks: 11,
        rows: 6,
        chars: 1024,
        eventsTogether: 2,
        pending: 1_000,
      },
      payloadReads: this.#pool,
      results: {
        ended: (tenantId, runId, single) => {
          watch.runEnded(this, runId);
          runEnds.ended(tenantId, runId, single);
        },
        recheckAll: (isMeant) => runEnds.recheckAll(isMeant),
      },
      logs: { write: async () => undefined },
      committed: [(history, { nodes }) => watch.committed(this, history, nodes)],
      recovered: [(states) => watch.recovered(this, states)],
      lost: () => undefined,
      moved: (shards) => {
        for (const { tenantId, end } of this.#held) if (shards.has(shardOf(tenantId))) end(movedAway());
      },
      host: process,
      connector: named,
    });
    this.results = new NodeResults(this.#pool, process);
    const { owner } = this.core;
    this.routes = new RoutesToPeers({
      owners: owner,
      clients: { connected: (peer) => connected(this, peer) },
      forwardedFor,
      leaving: new AbortController().signal,
      host: process,
      log: this.log,
    });
    this.commands = {
      submit: async <Kind extends TenantCommandKind>(command: ParsedCommand<Kind>): Promise<ReplyByKind[Kind]> =>
        owner.submit<Kind>(command),
      stateOf: (tenantId) => owner.stateOf(tenantId),
      served: async (tenantId) => owner.served(tenantId),
      get nowUs() {
        return owner.nowUs;
      },
      cel: owner.cel,
      payloads: owner.payloads,
      turns: owner.turns,
    };
    this.sessions = new OpenSessions({ host: process, mostKept: mostKeptOfSessions });
    this.sessionPorts = this.#sessionPorts(runEnds, watch);
  }

  #sessionPorts(results: RunEndWaiters, watch: EngineWatch): SessionPorts {
    const notSimulated = (): Promise<never> => Promise.reject(new Error('chunks and lines are not simulated'));
    const ports = sessionPorts({
      gate: { admit: (identity) => new Caller(identity), note: () => undefined },
      owner: this.commands,
      dispatcher: this.core.dispatcher,
      logIntake: { takeEach: notSimulated },
      streamIntake: { take: notSimulated },
      durable: { owner: this.commands, links: this.core.links, results: this.results, log: this.log },
      results,
      log: this.log,
      host: this.process,
    });
    return {
      ...ports,
      limits: sessionLimits,
      durable: (caller) => {
        const open = ports.durable(caller);
        return ({ write, fail }) =>
          open({
            write: (response) => {
              watch.answered(response);
              write(response);
            },
            fail,
          });
      },
      workers: async (caller) => {
        const attach = await ports.workers(caller);
        return (workerId, link) => {
          let left = (): void => undefined;
          const detach = attach(workerId, {
            send: (message) => {
              watch.told(this, workerId, message);
              link.send(message);
            },
            close: () => {
              left();
              link.close();
            },
          });
          left = watch.attached(this, workerId);
          return () => {
            left();
            detach();
          };
        };
      },
    };
  }

  /** By which the store knows it. */
  get ownerId(): string | undefined {
    return this.#ownerId;
  }

  get owner(): Owner {
    return this.core.owner;
  }

  /** Calls are taken from now on. */
  get isListening(): boolean {
    return this.#started;
  }

  /** What a load balancer asks for. */
  get isReady(): boolean {
    return this.#started && !this.#isLeaving && ([...this.owner.states].length > 0 || this.owner.peers.length > 0);
  }

  /** It has joined the others, and has not begun to leave them. */
  get takesCalls(): boolean {
    return this.#started && this.#hasJoined && !this.#isLeaving;
  }

  /** A stream that it serves ends once its shard is with another engine. @returns to call when it has ended */
  hold(tenantId: TenantId, end: (error: Error) => void): () => void {
    const stream = { tenantId, end };
    this.#held.add(stream);
    return () => this.#held.delete(stream);
  }

  /** As whoever starts engines does it: one that could not start is started again, as a new process. */
  async start(): Promise<void> {
    await this.#clock.start();
    const serving = this.owner.start();
    this.#started = true;
    await serving;
    await this.owner.takeCallsAt({ grpc: this.process.name, http: this.process.name, certificate: null });
    this.#hasJoined = true;
  }

  async stop(): Promise<void> {
    this.#isLeaving = true;
    await this.#leave().catch(() => undefined);
    this.#started = false;
    this.core.dispatcher.stop();
    await this.owner.stop();
    await this.#clock.stop();
    this.#awake.stop();
  }

  /** As `Replica.leave`. */
  async #leave(): Promise<void> {
    if (!this.#hasJoined) return;
    await this.owner.lookAround();
    if (this.owner.peers.length === 0) return;
    await this.owner.withdraw(longestHandOverMs);
    this.process.setTimeout(() => {
      for (const stream of this.clients) stream.cut();
    }, drainMs);
    const end = this.process.monotonicMs() + longestFarewellMs;
    while (this.clients.size > 0 && this.process.monotonicMs() < end) await delay(this.process, farewellLookMs);
  }
}
