import type { ClientConfig } from 'pg';
import { logAndGoOnEach } from '../base/log-and-go-on.ts';
import type { AwakeClock } from '../base/awake-clock.ts';
import type { Clock } from '../base/clock.ts';
import { processHost, type Host } from '../base/host.ts';
import type { Logger } from '../base/log.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { DurableLinks } from '../dispatch/durable-links.ts';
import type { DurableAskReply } from '../model/durable/durable-operation.ts';
import { shardOf } from '../model/ids/shard-of.ts';
import type { HistoryRow } from '../model/stored-rows.ts';
import type { Effect } from '../model/task/effect.ts';
import type { RunEndWaiters } from '../monitor/runs/run-end-waiters.ts';
import type { ShardState } from '../plan/state/shard-state.ts';
import type { WakingLimits } from '../plan/state/waking-limits.ts';
import type { Connector, Sql } from '../postgres/sql-client.ts';
import type { CommitMeter } from '../shard/commit-meter.ts';
import { Owner } from '../shard/owner.ts';
import type { CommittedRows } from '../shard/owner-events.ts';
import { DueTimers } from '../shard/fire-crons-and-schedules.ts';
import { dispatcherPorts } from './dispatcher-ports.ts';
import { releaseEffects, type LogLines } from './release-effects.ts';

export interface EngineCoreOptions {
  config: ClientConfig;
  clock: Clock;
  awake: AwakeClock;
  log: Logger;
  workerTimeoutMs: number;
  mostDeaths: number;
  /** What one event may do in one transaction. */
  wakingLimits?: WakingLimits;
  /** See `Ownership`. */
  takesShards?: boolean;
  /** See `Owner`. */
  planAheadFrom?: number | undefined;
  meter?: CommitMeter;
  /** Reads payloads of dispatches and of timers. */
  payloadReads: Sql;
  /** The ends of runs go there. */
  results: Pick<RunEndWaiters, 'ended' | 'recheckAll'>;
  logs: LogLines;
  /** Called with every commit, once its effects are on their way. */
  committed: readonly ((history: readonly HistoryRow[], rest: CommittedRows, effects: readonly Effect[]) => void)[];
  /** Shards are served from now on. */
  recovered: readonly ((states: readonly ShardState[]) => void)[];
  lost: () => void;
  /** Other engines have these shards now. */
  moved?: (shards: ReadonlySet<number>) => void;
  host?: Host;
  connector?: Connector;
}

/** What carries out commands and speaks with workers: the owner, its timers and the dispatcher, as they hear of each other. */
export class EngineCore {
  readonly owner: Owner;
  readonly dueTimers: DueTimers;
  readonly dispatcher: Dispatcher;
  readonly links = new DurableLinks<DurableAskReply>();

  constructor(options: EngineCoreOptions) {
    const { log, results, logs, workerTimeoutMs, host = processHost } = options;
    const { links } = this;
    this.owner = new Owner({
      config: options.config,
      clock: options.clock,
      log,
      workerTimeoutMs,
      wakingLimits: options.wakingLimits,
      takesShards: options.takesShards,
      planAheadFrom: options.planAheadFrom,
      meter: options.meter,
      awakeMs: () => options.awake.nowMs(),
      host,
      ...(options.connector === undefined ? {} : { connector: options.connector }),
      events: {
        committed: (effects, history, rest) => {
          const parts = [
            () => releaseEffects(effects, { dispatcher: this.dispatcher, links, results, logs, log, host }),
            ...options.committed,
          ];
          logAndGoOnEach(log, parts, (part) => part(history, rest, effects));
        },
        recovered: (open, states) => {
          const workers = new Map(states.flatMap((state) => [...state.workersById]));
          const shards = new Set(states.map((state) => state.id));
          const parts = [
            () => {
              for (const worker of workers.values())
                this.dispatcher.addWorker(worker.tenantId, worker.id, worker.ended);
              this.dispatcher.announceAll(shards);
            },
            () => links.announceAll((workerId) => workers.has(workerId)),
            () => {
              for (const { cancelling, ...attempt } of open)
                if (cancelling) this.dispatcher.cancel(attempt.workerId, { kind: 'cancel', ...attempt });
            },
            () => results.recheckAll((tenantId) => shards.has(shardOf(tenantId))),
            ...options.recovered,
          ];
          logAndGoOnEach(log, parts, (part) => part(states));
        },
        timersDue: (state, nowUs) => this.dueTimers.due(state, nowUs),
        lost: (states) => {
          const shards = states.map((state) => state.id);
          logAndGoOnEach(log, [() => this.dispatcher.lost(shards), options.lost], (part) => part());
        },
        moved: (ids) => {
          const shards = new Set(ids);
          logAndGoOnEach(log, [() => this.dispatcher.leave(shards), () => options.moved?.(shards)], (part) => part());
        },
        dispatched: (shards) => this.dispatcher.dispatched(new Set(shards)),
      },
    });
    this.dueTimers = new DueTimers({ owner: this.owner, pool: options.payloadReads, log, host });
    const ports = dispatcherPorts(this.owner, options.payloadReads, {
      awake: options.awake,
      workerTimeoutMs,
      mostDeaths: options.mostDeaths,
    });
    this.dispatcher = new Dispatcher({
      ports,
      log,
      workerTimeoutMs,
      host,
      onLeft: (workerIds) => links.leave(workerIds),
    });
  }
}
