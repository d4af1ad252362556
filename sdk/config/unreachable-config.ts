import { plainLogger } from '../logger.ts';
import type { ClientConfig } from './client-config.ts';
import type { ClientOptions } from './client-options.ts';

/** Of a sandbox, which has no token and no way to the engine: enough for a module to declare its tasks. The worker adds its namespace to names. */
export function unreachableConfig({ logger, logLevel, tracing }: ClientOptions): ClientConfig {
  return {
    token: '',
    tenantId: '',
    hostPort: 'sandbox.invalid:0',
    apiUrl: 'http://sandbox.invalid',
    isApiPlainByToken: false,
    tls: { strategy: 'none', certFile: undefined, keyFile: undefined, caFile: undefined, serverName: undefined },
    namespace: '',
    logger: logger ?? plainLogger,
    logLevel: logLevel ?? 'INFO',
    cancellationGraceMs: 1_000,
    workerPresetLabels: {},
    now: () => new Date(),
    captureConsole: false,
    healthcheck: undefined,
    repeatLostTriggers: false,
    sessions: false,
    tracing,
  };
}
