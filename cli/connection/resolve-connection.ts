import { isPlainAbroad } from '../../sdk/config/loopback.ts';
import { resolveTls, tlsSettingsOf, type ResolvedTls } from '../../sdk/config/resolve-tls.ts';
import { CliError, wrongUse } from '../cli-error.ts';
import type { CliContext } from '../cli-context.ts';
import { apiUrlOf, readLocalToken, runningEngine, type EngineRecord } from '../engine-process/engine-record.ts';
import { ExitCode } from '../exit-code.ts';
import { dataFolder } from '../project/project-root.ts';
import { tokenClaims } from './token-claims.ts';

/** Where an engine is, and what lets us in. */
export interface Connection {
  /** `host:port`. */
  address: string;
  token: string;
  tls: ResolvedTls;
  /** Base URL of the REST API, for workers. */
  apiUrl: string;
  namespace: string | undefined;
  /** Where this was found, for messages. */
  source: string;
  /** Of an engine on this machine that was found by it. */
  dataDir: string | undefined;
}

/** Flags of every command that talks to an engine. */
export interface ConnectionFlags {
  dataDir?: string;
  address?: string;
  /** From whichever flag gave it. */
  token?: string;
  tokenFile?: string;
}

/**
 * Which engine: flags, then HATCHET_CLIENT_*, then the data folder; an explicit --data-dir beats the environment.
 * @throws CliError with exit code 3 where there is none
 */
export function resolveConnection(context: Pick<CliContext, 'cwd' | 'env'>, flags: ConnectionFlags): Connection {
  const { env } = context;
  const token = flags.token ?? (flags.dataDir === undefined ? env['HATCHET_CLIENT_TOKEN'] : undefined);
  if (token !== undefined && token !== '') return fromToken(token, flags, env);
  const { engine, token: localToken, dataDir } = findLocal(dataFolder(context.cwd, flags.dataDir));
  return localConnection(engine, { token: localToken, dataDir, env, address: flags.address });
}

function fromToken(token: string, flags: ConnectionFlags, env: CliContext['env']): Connection {
  const named = flags.token === undefined ? 'HATCHET_CLIENT_TOKEN' : flags.tokenFile === undefined ? '--token' : '--token-file';
  const claims = tokenClaims(token.trim());
  if (claims === undefined) throw new CliError(`${named} does not hold a token`, { exitCode: ExitCode.noEngine, remedy: 'Make one with `hatchet token create`.' });
  const address = flags.address ?? env['HATCHET_CLIENT_HOST_PORT'] ?? claims.grpcAddress;
  if (address === undefined) throw wrongUse(`${named} names no address`, 'Give it with --address host:port, or HATCHET_CLIENT_HOST_PORT.');
  const givenApiUrl = env['HATCHET_CLIENT_API_URL'];
  const apiUrl = givenApiUrl ?? claims.serverUrl ?? '';
  const settings = tlsSettingsOf(env);
  if (givenApiUrl === undefined && settings.strategy !== 'none' && isPlainAbroad(apiUrl)) {
    throw wrongUse(`${named} names ${apiUrl}: it would be sent there in plain text`, 'Set HATCHET_CLIENT_API_URL to an https address, or HATCHET_CLIENT_TLS_STRATEGY=none on a network that you trust.');
  }
  const tls = resolveTls(settings, { hostPort: address, tokenApiUrl: claims.serverUrl, local: undefined });
  return { address, token: token.trim(), tls, apiUrl, namespace: env['HATCHET_CLIENT_NAMESPACE'], source: named, dataDir: undefined };
}

/** An engine of this machine, by its record. */
export function localConnection(engine: EngineRecord, options: { token: string; dataDir: string; env: CliContext['env']; address?: string | undefined }): Connection {
  const { token, dataDir, env, address = engine.grpc } = options;
  const isElsewhere = address !== engine.grpc;
  const settings = tlsSettingsOf(env);
  // How it is spoken to is in its record; a strategy in the environment is for the engine that the environment names.
  const tls = isElsewhere
    ? resolveTls(settings, { hostPort: address, tokenApiUrl: apiUrlOf(engine), local: undefined })
    : resolveTls({ ...settings, strategy: undefined }, { hostPort: address, tokenApiUrl: undefined, local: { tls: engine.tls ?? undefined } });
  return { address, token, tls, apiUrl: apiUrlOf(engine), namespace: undefined, source: isElsewhere ? '--address' : dataDir, dataDir: isElsewhere ? undefined : dataDir };
}

function findLocal(dataDir: string): { engine: EngineRecord; token: string; dataDir: string } {
  const engine = runningEngine(dataDir);
  if (engine === undefined) {
    throw new CliError(`no engine runs on the data folder ${dataDir}`, { exitCode: ExitCode.noEngine, remedy: 'Start one with `hatchet dev` or `hatchet engine start`, or name it with --data-dir or HATCHET_CLIENT_TOKEN.' });
  }
  const token = readLocalToken(dataDir);
  if (token === undefined) throw new CliError(`${dataDir} holds no readable token`, { exitCode: ExitCode.noEngine, remedy: 'Start the engine again: it writes one.' });
  return { engine, token, dataDir };
}
