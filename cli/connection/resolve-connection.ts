import { CliError, wrongUse } from '../cli-error.ts';
import type { CliContext } from '../cli-context.ts';
import { readLocalToken, runningEngine } from '../engine-process/engine-record.ts';
import { ExitCode } from '../exit-code.ts';
import { dataFolder } from '../project/project-root.ts';
import { tokenClaims } from './token-claims.ts';

/** Where an engine is, and what lets us in. */
export interface Connection {
  /** `host:port`. */
  address: string;
  token: string;
  tls: boolean;
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
  token?: string;
}

/**
 * Which engine: flags, then HATCHET_CLIENT_*, then the data folder; an explicit --data-dir beats the environment.
 * @throws CliError with exit code 3 where there is none
 */
export function resolveConnection(context: Pick<CliContext, 'cwd' | 'env'>, flags: ConnectionFlags): Connection {
  const { env } = context;
  const token = flags.token ?? (flags.dataDir === undefined ? env['HATCHET_CLIENT_TOKEN'] : undefined);
  if (token !== undefined && token !== '') return fromToken(token, flags, env);
  const local = fromDataFolder(dataFolder(context.cwd, flags.dataDir));
  return flags.address === undefined ? local : { ...local, address: flags.address, source: '--address', dataDir: undefined };
}

function fromToken(token: string, flags: ConnectionFlags, env: CliContext['env']): Connection {
  const named = flags.token === undefined ? 'HATCHET_CLIENT_TOKEN' : '--token';
  const claims = tokenClaims(token.trim());
  if (claims === undefined) throw new CliError(`${named} does not hold a token`, { exitCode: ExitCode.noEngine, remedy: 'Make one with `hatchet token create`.' });
  const address = flags.address ?? env['HATCHET_CLIENT_HOST_PORT'] ?? claims.grpcAddress;
  if (address === undefined) throw wrongUse(`${named} names no address`, 'Give it with --address host:port, or HATCHET_CLIENT_HOST_PORT.');
  const apiUrl = env['HATCHET_CLIENT_API_URL'] ?? claims.serverUrl ?? '';
  return { address, token: token.trim(), tls: usesTls(env['HATCHET_CLIENT_TLS_STRATEGY'], apiUrl), apiUrl, namespace: env['HATCHET_CLIENT_NAMESPACE'], source: named, dataDir: undefined };
}

/** As the SDKs do, TLS unless told otherwise; a token of a local engine says so by its server's `http:`. */
function usesTls(strategy: string | undefined, apiUrl: string): boolean {
  if (strategy === undefined || strategy === '') return !apiUrl.startsWith('http:');
  if (strategy === 'none') return false;
  if (strategy === 'tls') return true;
  throw wrongUse(`HATCHET_CLIENT_TLS_STRATEGY is ${strategy}`, 'Use none or tls.');
}

function fromDataFolder(dataDir: string): Connection {
  const engine = runningEngine(dataDir);
  if (engine === undefined) {
    throw new CliError(`no engine runs on the data folder ${dataDir}`, { exitCode: ExitCode.noEngine, remedy: 'Start one with `hatchet dev` or `hatchet engine start`, or name it with --data-dir or HATCHET_CLIENT_TOKEN.' });
  }
  const token = readLocalToken(dataDir);
  if (token === undefined) throw new CliError(`${dataDir} holds no readable token`, { exitCode: ExitCode.noEngine, remedy: 'Start the engine again: it writes one.' });
  return { address: engine.grpc, token, tls: false, apiUrl: `http://${engine.http}`, namespace: undefined, source: dataDir, dataDir };
}
