import { durationToMs } from '../duration.ts';
import { HatchetError } from '../errors.ts';
import { parseLogLevel, plainLogger, type LogConstructor, type LogLevel } from '../logger.ts';
import type { Tracing } from '../tracing.ts';
import type { ClientOptions } from './client-options.ts';
import { resolveHealthcheck, type Healthcheck } from './healthcheck.ts';
import type { LocalEngine } from './local-engine.ts';
import { isPlainAbroad } from './loopback.ts';
import { movableClockOf } from './movable-clock.ts';
import { resolveTls, type ResolvedTls, type TlsSettings } from './resolve-tls.ts';
import { readTokenClaims } from './token-claims.ts';

/** Where everything is settled. */
export interface ClientConfig {
  readonly token: string;
  readonly tenantId: string;
  readonly hostPort: string;
  readonly apiUrl: string;
  /** Whether the token alone has the REST API called in plain text on another machine. Such calls are refused. */
  readonly isApiPlainByToken: boolean;
  readonly tls: ResolvedTls;
  /** Ends in `_`, lower case; empty for none. */
  readonly namespace: string;
  readonly logger: LogConstructor;
  readonly logLevel: LogLevel;
  readonly cancellationGraceMs: number;
  readonly repeatLostTriggers: boolean;
  /** Whether the engine is asked for a session. */
  readonly sessions: boolean;
  /** Of every worker, besides its own: what whoever runs the process says of it. */
  readonly workerPresetLabels: Readonly<Record<string, string>>;
  readonly now: () => Date;
  /** Whether workers capture what tasks print, where they do not say it themselves. */
  readonly captureConsole: boolean;
  /** Absent where workers open no port for it. */
  readonly healthcheck: Healthcheck | undefined;
  readonly tracing: Tracing | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options › environment › the token's claims › the local engine.
 * The local engine is asked for only where no token is given: its addresses belong to its own token.
 * @throws HatchetError NOT_CONFIGURED where there is no token, or it names no tenant or address.
 */
export function resolveConfig(
  options: ClientOptions,
  environment: Environment,
  findLocal: () => LocalEngine | undefined,
): ClientConfig {
  const setting = (name: string): string | undefined => nonEmpty(environment[`HATCHET_CLIENT_${name}`]);
  const givenToken = nonEmpty(options.token) ?? setting('TOKEN');
  const local = givenToken === undefined ? findLocal() : undefined;
  const token = givenToken ?? local?.token;
  if (token === undefined) {
    throw new HatchetError('NOT_CONFIGURED', 'there is no access token', {
      remedy: 'Start an engine with `npx hatchet dev`, or set HATCHET_CLIENT_TOKEN (`npx hatchet token create`)',
    });
  }
  const claims = readTokenClaims(token);
  if (claims === undefined) {
    throw new HatchetError(
      'NOT_CONFIGURED',
      `${nonEmpty(options.token) === undefined ? 'HATCHET_CLIENT_TOKEN' : 'the option `token`'} does not hold a token`,
      { remedy: 'Make one with `npx hatchet token create`' },
    );
  }
  if (claims.tenantId === undefined) {
    throw new HatchetError('NOT_CONFIGURED', 'the access token names no tenant', {
      remedy: 'Make one with `npx hatchet token create`',
    });
  }
  const hostPort =
    nonEmpty(options.hostPort) ??
    nonEmpty(options.host_port) ??
    setting('HOST_PORT') ??
    local?.hostPort ??
    claims.hostPort;
  const givenApiUrl = nonEmpty(options.apiUrl) ?? nonEmpty(options.api_url) ?? setting('API_URL') ?? local?.apiUrl;
  const apiUrl = givenApiUrl ?? claims.apiUrl;
  if (hostPort === undefined || apiUrl === undefined) {
    throw new HatchetError('NOT_CONFIGURED', 'the access token names no addresses', {
      remedy: 'Set HATCHET_CLIENT_HOST_PORT and HATCHET_CLIENT_API_URL',
    });
  }
  const address = hostPort.replace(/^https?:\/\//, '').replace(/\/$/, '');
  const isLocal = hostPort === local?.hostPort;
  const settings = tlsSettings(options, setting);
  const tls = resolveTls(settings, {
    hostPort: address,
    tokenApiUrl: claims.apiUrl,
    local: isLocal ? { tls: local.tls } : undefined,
  });
  return {
    token,
    tenantId: claims.tenantId,
    hostPort: address,
    apiUrl: apiUrl.replace(/\/+$/, ''),
    isApiPlainByToken: givenApiUrl === undefined && isPlainAbroad(apiUrl) && settings.strategy !== 'none',
    tls,
    namespace: normalizeNamespace(nonEmpty(options.namespace) ?? setting('NAMESPACE')),
    logger: options.logger ?? plainLogger,
    logLevel: options.logLevel ?? options.log_level ?? parseLogLevel(setting('LOG_LEVEL')) ?? 'INFO',
    cancellationGraceMs: durationToMs(options.cancellationGracePeriod ?? options.cancellation_grace_period ?? '1s'),
    repeatLostTriggers: options.repeatLostTriggers ?? false,
    sessions: options.sessions ?? !/^(?:false|0)$/i.test(setting('SESSIONS') ?? ''),
    workerPresetLabels: presetLabels(setting('WORKER_PRESET_LABELS')),
    now: options.now ?? movableClockOf(address)?.now ?? (() => new Date()),
    captureConsole: /^(?:true|1)$/i.test(setting('CAPTURE_CONSOLE') ?? ''),
    healthcheck: resolveHealthcheck(options.healthcheck ?? {}, setting),
    tracing: options.tracing,
  };
}

/** @throws HatchetError NOT_CONFIGURED */
function presetLabels(text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new HatchetError('NOT_CONFIGURED', 'HATCHET_CLIENT_WORKER_PRESET_LABELS is no JSON object', {
      remedy: `Write it like {"region":"eu"}, or unset it`,
    });
  }
  return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [name, String(value)]));
}

function tlsSettings(options: ClientOptions, setting: (name: string) => string | undefined): TlsSettings {
  const given = options.tlsConfig;
  const legacy = options.tls_config;
  return {
    strategy: given?.strategy ?? legacy?.tls_strategy ?? setting('TLS_STRATEGY'),
    certFile: given?.certFile ?? legacy?.cert_file ?? setting('TLS_CERT_FILE'),
    keyFile: given?.keyFile ?? legacy?.key_file ?? setting('TLS_KEY_FILE'),
    caFile: given?.caFile ?? legacy?.ca_file ?? setting('TLS_ROOT_CA_FILE'),
    serverName: given?.serverName ?? legacy?.server_name ?? setting('TLS_SERVER_NAME'),
  };
}

function normalizeNamespace(namespace: string | undefined): string {
  if (namespace === undefined) return '';
  const lower = namespace.toLowerCase();
  return lower.endsWith('_') ? lower : `${lower}_`;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/** The name with the namespace before it, once. */
export function applyNamespace(name: string, namespace: string): string {
  return name.startsWith(namespace) ? name : `${namespace}${name}`;
}
