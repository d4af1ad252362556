/** What a job queue has to offer to be measured. */
import type { EmbeddedPostgres } from '../../engine/postgres/embedded/embedded-postgres.ts';

export interface Job {
  /** Tells the jobs of one measurement apart. */
  i: number;
  body: string;
}

/** How the jobs come. A contestant may set its worker up for each in the way that suits it best. */
export type Load = 'backlog' | 'inFlight' | 'lowRate';

/** What clients and workers connect to. It is sent to other processes. */
export interface Target {
  /** Of Postgres, or of what the contestant stores jobs in instead. */
  url: string;
  /** Of a tenant, where there are tenants. */
  token?: string;
}

/** What runs for a contestant besides clients and workers. */
export interface Backend {
  target: Target;
  /** The process between clients and the store, where there is one. */
  enginePid?: number;
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

export interface Contestant {
  /** Its package and the version that is installed. */
  version: string;
  /** For the notes below the tables, in a few words. */
  settings: string;
  /** The part of the jobs that a slow one does, so that a round stays short. Default 1 of each. */
  share?: { backlog?: number; inFlight?: number };
  /**
   * Default: nothing besides the given Postgres.
   * @param folder for its files; removed afterwards
   * @param atEnd takes what ends a process, as soon as there is one: an interruption may come before it is ready
   */
  start?(
    postgres: EmbeddedPostgres,
    folder: string,
    atEnd: (step: () => Promise<void>) => Promise<void>,
  ): Promise<Backend>;
  /** Makes tables and queues, once for each backend. */
  prepare(target: Target): Promise<void>;
  progress(target: Target): Promise<Progress>;
  openAdder(target: Target, load: Load): Promise<Adder>;
  /**
   * Resolves once it takes jobs.
   * @param entered called first thing by the handler of each job, which does nothing else
   */
  startWorker(target: Target, load: Load, entered: (i: number) => void): Promise<JobWorker>;
}
