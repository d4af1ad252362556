/** What a job queue has to offer to be measured. */
import type { EmbeddedPostgres } from '../../engine/postgres/embedded/embedded-postgres.ts';

export interface Job {
  /** Tells the jobs of one measurement apart. */
  i: number;
  body: string;
}

/** What a job runs: nothing, or steps each of which is stored before the next begins, as tasks of a DAG or of a durable function. */
export type Flow = 'noop' | 'dag' | 'durable';

/** What the jobs of a round are, and where they come from. */
export interface Shape {
  flow: Flow;
  /** Of a flow: how many steps it has beside each other, one after the other. Each waits for all before it. */
  steps: readonly number[];
  /** Characters of a job's body. */
  bodyChars: number;
  /** The rest is ours alone. Concurrency keys that jobs take in turn, with room for all of them; 0 for a task without a key. */
  keys: number;
  /** Jobs go to them in turn. Each has workers of its own. */
  tenants: number;
  /** Of each tenant, all in one process, each with a connection of its own. */
  workers: number;
  /** On one Postgres. */
  engines: number;
  /** Processes of each engine that take its calls. */
  edges: number;
  /** What clients and workers are written with: the published SDK knows the contract alone, a call for each job and report. */
  sdk: 'ours' | 'published';
}

export const plainShape: Shape = {
  flow: 'noop',
  steps: [],
  bodyChars: 150,
  keys: 0,
  tenants: 1,
  workers: 1,
  engines: 1,
  edges: 0,
  sdk: 'ours',
};

/** How the jobs come. A contestant may set its worker up for each in the way that suits it best. */
export type Load = 'backlog' | 'inFlight' | 'lowRate';

/** What clients and workers connect to. It is sent to other processes. */
export interface Target {
  /** Of Postgres, or of what the contestant stores jobs in instead. */
  url: string;
  /** One of each tenant, where there are tenants. */
  tokens?: readonly string[];
}

/** What runs for a contestant besides clients and workers. */
export interface Backend {
  target: Target;
  /** The processes between clients and the store, where there are any. Edge processes are children of theirs. */
  enginePids?: readonly number[];
  /** The process in whose family the jobs are stored. */
  storePid: number;
  /** False where jobs are not in Postgres: its WAL and transactions say nothing then. */
  storesInPostgres: boolean;
}

export interface Adder {
  /** Resolves once all of them are durable. */
  addMany(jobs: readonly Job[]): Promise<void>;
  /** Resolves once it is durable. */
  add(job: Job): Promise<void>;
  /** Resolves with the result of the job. Absent where the queue has no call for it. */
  addAndWait?(job: Job): Promise<void>;
  close(): Promise<void>;
}

export interface JobWorker {
  /** Resolves once it takes nothing more and has let go of its connections. */
  stop(): Promise<void>;
}

/** Looks at how far the store is. */
export interface Progress {
  /** Jobs that are not durably completed. */
  left(): Promise<number>;
  close(): Promise<void>;
}

/** What a round gives a contestant to start what it needs besides clients and workers. */
export interface Surroundings {
  postgres: EmbeddedPostgres;
  /** For its files; removed afterwards. */
  folder: string;
  shape: Shape;
  /** The binary on which its processes run. */
  node: string;
  /** Takes what ends a process, as soon as there is one: an interruption may come before it is ready. */
  atEnd: (step: () => Promise<void>) => Promise<void>;
}

export interface Contestant {
  /** Its package and the version that is installed. */
  version: string;
  /** For the notes below the tables, in a few words. */
  settings: string;
  /** The part of the jobs that a slow one does, so that a round stays short. Default 1 of each. */
  share?: { backlog?: number; inFlight?: number };
  /** Besides jobs that do nothing. */
  flows?: readonly Exclude<Flow, 'noop'>[];
  /** Default: nothing besides the given Postgres. */
  start?(surroundings: Surroundings): Promise<Backend>;
  /** Makes tables and queues, once for each backend. */
  prepare(target: Target, shape: Shape): Promise<void>;
  progress(target: Target): Promise<Progress>;
  openAdder(target: Target, load: Load, shape: Shape): Promise<Adder>;
  /**
   * Resolves once it takes jobs.
   * @param entered called first thing by the handler of each job, which does nothing else, or by the last step of its flow
   */
  startWorker(target: Target, load: Load, entered: (i: number) => void, shape: Shape): Promise<JobWorker>;
}
