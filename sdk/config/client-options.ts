import type { Duration } from '../duration.ts';
import type { HealthcheckOptions } from './healthcheck.ts';
import type { LogConstructor, LogLevel } from '../logger.ts';
import type { Tracing } from '../tracing.ts';

export type TlsStrategy = 'none' | 'tls' | 'mtls';

export interface TlsConfig {
  /** `none` speaks plain HTTP/2. @default what the engine of the nearest `.hatchet` folder speaks; 'none' for a loopback address, unless the token names an `https:` one; else 'tls' */
  strategy?: TlsStrategy | undefined;
  /** Path of the client's certificate, for mtls. */
  certFile?: string | undefined;
  /** Path of the client's private key, for mtls. */
  keyFile?: string | undefined;
  /** Path of the authority's certificate. @default the system's authorities */
  caFile?: string | undefined;
  /** The name that the server's certificate must carry. @default the host */
  serverName?: string | undefined;
}

/** The same in the official SDK's spelling. */
export interface LegacyTlsConfig {
  tls_strategy?: TlsStrategy | undefined;
  cert_file?: string | undefined;
  key_file?: string | undefined;
  ca_file?: string | undefined;
  server_name?: string | undefined;
}

/**
 * What `Hatchet.init` takes. Each value comes from here, else from the environment, else from the token's
 * claims, else from the nearest `.hatchet` folder of a local engine.
 */
export interface ClientOptions {
  /** The access token. @default HATCHET_CLIENT_TOKEN, else `.hatchet/token` */
  token?: string | undefined;
  /** `host:port` of the gRPC endpoint. @default HATCHET_CLIENT_HOST_PORT, else the token's */
  hostPort?: string | undefined;
  /** Base URL of the REST API. @default HATCHET_CLIENT_API_URL, else the token's */
  apiUrl?: string | undefined;
  /** @default HATCHET_CLIENT_TLS_STRATEGY and HATCHET_CLIENT_TLS_{CERT,KEY,ROOT_CA}_FILE, _SERVER_NAME */
  tlsConfig?: TlsConfig | undefined;
  /** Goes before the names of workflows, workers and events, with `_`. @default HATCHET_CLIENT_NAMESPACE, else none */
  namespace?: string | undefined;
  /** Makes the loggers. @default plain lines on stderr */
  logger?: LogConstructor | undefined;
  /** @default HATCHET_CLIENT_LOG_LEVEL, else 'INFO' */
  logLevel?: LogLevel | undefined;
  /** How long a cancelled task may go on before the worker says so. @default '1s' */
  cancellationGracePeriod?: Duration | undefined;
  /** A port on which a worker's process tells how it is: `/health`, `/readyz`, `/livez`, `/metrics`. @default HATCHET_CLIENT_WORKER_HEALTHCHECK_*, else none */
  healthcheck?: HealthcheckOptions | undefined;
  /**
   * Whether a trigger whose answer was lost is made again on an engine that does not know it again, as a Hatchet cluster does not:
   * a run may then start twice. Otherwise it fails with NO_ANSWER, and the run may have started. @default false
   */
  repeatLostTriggers?: boolean | undefined;
  /**
   * Whether triggers, reports, results and tasks go many at once on one stream, where the engine has that. Without it each goes by a
   * call of its own, as at a Hatchet cluster: for what stands between and does not let streams in both directions through.
   * @default HATCHET_CLIENT_SESSIONS, else true
   */
  sessions?: boolean | undefined;
  /** What is told of the runs that the client starts and the attempts that its workers run: `openTelemetry()` of `hatchet-ts/opentelemetry`. @default nothing */
  tracing?: Tracing | undefined;
  /** What durable tasks are told by `ctx.now`. @default the clock of a test engine of this process, else the system's time */
  now?: (() => Date) | undefined;

  /** Same as `hostPort`, in the official SDK's spelling. */
  host_port?: string | undefined;
  /** Same as `apiUrl`, in the official SDK's spelling. */
  api_url?: string | undefined;
  /** Same as `tlsConfig`, in the official SDK's spelling. */
  tls_config?: LegacyTlsConfig | undefined;
  /** Same as `logLevel`, in the official SDK's spelling. */
  log_level?: LogLevel | undefined;
  /** Same as `cancellationGracePeriod`, in the official SDK's spelling; milliseconds. */
  cancellation_grace_period?: number | undefined;
}
