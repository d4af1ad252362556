import type { Clock } from './clock.ts';
import type { LogLevel } from './log.ts';

/** What startEngine takes. Everything is optional: the defaults are a local engine with its own Postgres. */
export interface EngineOptions {
  /** Folder for the embedded Postgres, tokens and engine.json. Default `.hatchet` in the current folder. */
  dataDir?: string;
  /** An external Postgres 15 or newer. Without it the engine starts its own under dataDir. */
  databaseUrl?: string;
  /**
   * File with the key under which secrets are sealed in the database: 32 bytes as base64 or hex, older ones on further lines.
   * Default HATCHET_ENGINE_SECRET_KEY_FILE, else the key in HATCHET_ENGINE_SECRET_KEY, else `secret.key` in dataDir, made at the first start.
   */
  secretKeyFile?: string;
  /** Address to bind. Default 127.0.0.1. One that other machines reach needs `tls` or `insecure`. */
  host?: string;
  /** Serves gRPC and HTTP over TLS alone. */
  tls?: TlsOptions;
  /** Allows plain text on an address that other machines reach. Default: whether HATCHET_ENGINE_INSECURE is `1` or `true`. */
  insecure?: boolean;
  /** Names besides the loopback's that HTTP requests may be for, while `host` is a loopback address: those of a proxy that passes them on. */
  allowedHosts?: readonly string[];
  /**
   * Where the other engines on the same database reach this one, without a port. Default `host`, or the machine's first address
   * where that stands for all of them.
   */
  advertiseHost?: string;
  /**
   * Processes that take the calls and pass them on to this one, which then has its event loop for tasks. Default 0: this process
   * takes them itself.
   */
  edges?: number;
  /** Only takes calls, and passes them on to the engines on the same database that hold shards. Needs `databaseUrl`. Default false. */
  edge?: boolean;
  /** gRPC port; 0 picks a free one. Default 7077. */
  grpcPort?: number;
  /** HTTP port; 0 picks a free one. Default 8888. */
  httpPort?: number;
  /**
   * Whether clients that compress their gRPC messages, as the published TypeScript SDK does, are let go on with it: fewer bytes on a
   * slow link, for more CPU on both ends. Default false: they are asked to send messages as they are. Both are read.
   */
  compressedCalls?: boolean;
  /**
   * Port of `GET /metrics`, for Prometheus: of the engine and of all tenants, without a token; 0 picks a free one. Default: none. With
   * `edges`, each of them has one of the ports that follow.
   */
  metricsPort?: number;
  /** Address to bind for `metricsPort`. Default 127.0.0.1. One that other machines reach needs `tls` or `insecure`. */
  metricsHost?: string;
  /** Default `info`. */
  logLevel?: LogLevel;
  /** A worker without a heartbeat for this long loses its tasks. Milliseconds, default 30,000. */
  workerTimeoutMs?: number;
  /** So many workers may die under a task before it fails. Default 3. */
  maxWorkerDeaths?: number;
  /** Days that ended runs are kept. Default 30. */
  retentionDays?: number;
  /** Days that the audit log is kept. Default 365. */
  auditDays?: number;
  /** Lets a person end the sleeps of durable tasks early, as `hatchet dev` does. Default false. */
  allowSkip?: boolean;
  /** Serves the page, on which people see runs and queues in their browser, at `/` of the HTTP port. Default true. */
  page?: boolean;
  /** The time of deadlines, sleeps, crons and windows. Whoever moves it calls `time.moved`. Default the system's. */
  clock?: Clock;
}

/** Paths of PEM files. They are looked at each second; new connections use what is there. */
export interface TlsOptions {
  /** The server's certificate, followed by those that lead to its authority's. */
  certFile: string;
  keyFile: string;
  /** The authority of clients' certificates: with it, each client has to have one (mTLS). */
  clientCaFile?: string;
  /** Default 1.3. */
  minVersion?: '1.2' | '1.3';
}

export type StageName = 'postgres' | 'migrations' | 'engine';

/** Progress of a start, for a checklist. */
export interface StageEvent {
  stage: StageName;
  status: 'started' | 'done';
  /** Since the stage started; 0 for `started`. */
  ms: number;
  /** One line such as `created a new cluster` or `0001_core 84 ms`. */
  detail: string;
}

export interface Address {
  host: string;
  port: number;
}

/** For whoever moves the clock that the engine was started with. */
export interface EngineTime {
  /** When time alone changes something next: a deadline, a sleep, a cron, a refill that somebody waits for. Milliseconds; Infinity for never. */
  nextDueMs(): number;
  /** The clock was moved: the engine's timers are set anew. */
  moved(): void;
  /** Resolves once what is due is committed, and every running task has ended, waits for time or another event, or has been quiet for `patienceMs` of real time. */
  quiet(options: { patienceMs: number }): Promise<void>;
  /** Resolves with the next commit. */
  committed(signal: AbortSignal): Promise<void>;
}

/** A started engine. */
export interface RunningEngine {
  grpc: Address;
  http: Address;
  /** Where `GET /metrics` is, with `metricsPort`. */
  metrics: Address | undefined;
  /** Whether both speak TLS. */
  tls: TlsOptions | undefined;
  /** Postgres in use, password included. */
  databaseUrl: string;
  /** A token of the tenant `default`, valid for these addresses. */
  token: string;
  version: string;
  startedAt: Date;
  readonly time: EngineTime;
  /** Ends everything that startEngine began, Postgres included. Idempotent. */
  stop(): Promise<void>;
}

/** What holds where EngineOptions say nothing. */
export const engineDefaults = {
  host: '127.0.0.1',
  grpcPort: 7077,
  httpPort: 8888,
  metricsHost: '127.0.0.1',
  workerTimeoutMs: 30_000,
  maxWorkerDeaths: 3,
  retentionDays: 30,
  auditDays: 365,
  page: true,
};
