import type { WorkerMessage } from '../../engine/dispatch/worker-session.ts';
import type { DurableTaskResponse } from '../../proto/gen/hatchet/contract/v1/dispatcher.ts';
import type { Chances } from './chances.ts';
import type { Faults } from './faults.ts';
import type { Network, SimulatedStream } from './network.ts';
import type { StreamAsked } from './passing-on.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedEngine } from './simulated-engine.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { SimulatedStore } from './store/store.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';

/** Who is told of what could break a promise. */
export interface Judge {
  /** An engine is about to tell a worker. */
  sent(engine: SimulatedEngine, message: WorkerMessage): void;
  /** An attempt has reached a worker. */
  arrived(worker: string, key: string): void;
  /** A durable task is about to be told what became of its request. */
  answered(response: NonNullable<DurableTaskResponse['message']>): void;
  broken(what: string): void;
}

/** A call of a tenant's, to be carried out at whichever engine has its shard. */
export interface CallAsked<T> {
  tenantId: TenantId;
  serve: (at: SimulatedEngine) => T | Promise<T>;
  deadlineMs: number;
}

/** What a worker finds around it. */
export interface WorkerSurroundings {
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly invariants: Judge;
  /** As a load balancer does. */
  pickEngine(chances: Chances): SimulatedEngine | undefined;
  /** @throws Unavailable, also where no answer has come in time */
  call<T>(client: SimulatedProcess, engine: SimulatedEngine, asked: CallAsked<T>): Promise<T>;
  /** Opens a stream, to be served at whichever engine has the tenant's shard. Resolves once it is. @throws as `call` */
  stream<ToClient, ToServer>(
    client: SimulatedProcess,
    engine: SimulatedEngine,
    stream: SimulatedStream<ToClient, ToServer>,
    asked: StreamAsked<ToClient, ToServer>,
  ): Promise<void>;
}

/** What the invariants look at. */
export interface JudgedSurroundings {
  readonly scheduler: Scheduler;
  readonly store: SimulatedStore;
  readonly faults: Faults;
  readonly tenantIds: readonly TenantId[];
  readonly outside: SimulatedProcess;
  /** The store's clock. */
  readonly storeUs: number;
  readonly storeClockWasSet: boolean;
  note(line: string): void;
}

/** What programs with sessions find around them. */
export interface ProgramSurroundings extends WorkerSurroundings {
  readonly faults: Faults;
  readonly storeClockWasSet: boolean;
  readonly invariants: Judge & { runEnded(runId: string): void };
  note(line: string): void;
}

/** What callers find around them. */
export interface CallerSurroundings extends Omit<WorkerSurroundings, 'invariants' | 'network' | 'stream'> {
  readonly faults: Faults;
  readonly outside: SimulatedProcess;
  /** Nothing goes wrong any more. */
  readonly hasHealed: boolean;
  /** The engine that has a tenant's shard. */
  servingEngine(tenantId: TenantId): SimulatedEngine | undefined;
  readonly invariants: {
    acknowledged(runId: string): void;
    readonly events: { nextNumber(): number };
  };
  note(line: string): void;
}
