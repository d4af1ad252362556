import { isPlainAbroad } from '../../sdk/config/loopback.ts';
import { resolveTls, tlsSettingsOf, type ResolvedTls, type TlsSettings } from '../../sdk/config/resolve-tls.ts';
import { CliError, wrongUse } from '../cli-error.ts';
import type { CliContext } from '../cli-context.ts';
import { apiUrlOf, readLocalToken, runningEngine, type EngineRecord } from '../engine-process/engine-record.ts';
import { ExitCode } from '../exit-codes.ts';
import { dataFolder } from '../project/project-root.ts';
import { localProfile, namedProfile, profileOf, readProfiles, type Profile } from './profile-store.ts';
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
  /** Its name, where one was used: then HATCHET_CLIENT_* says nothing of this engine. */
  profile: string | undefined;
}

/** Flags of every command that talks to an engine. */
export interface ConnectionFlags {
  dataDir?: string;
  profile?: string;
  address?: string;
  apiUrl?: string;
  /** From whichever flag gave it. */
  token?: string;
  tokenFile?: string;
}

/**
 * Which engine, by the first of these that names one: a token by flag; --data-dir; --profile, else HATCHET_PROFILE;
 * HATCHET_CLIENT_TOKEN; the profile that `hatchet profile use` chose; the data folder of the project.
 * --address and --api-url say where it is in place of what was found.
 * @throws CliError with exit code 3 where there is none, 2 for flags that name two
 */
export function resolveConnection(context: Pick<CliContext, 'cwd' | 'env'>, flags: ConnectionFlags): Connection {
  const { env } = context;
  if (flags.profile !== undefined && (flags.token !== undefined || flags.dataDir !== undefined))
    throw wrongUse(
      `--profile and ${flags.token === undefined ? '--data-dir' : '--token'} name two engines`,
      'Give one of them.',
    );
  if (flags.token !== undefined && flags.token !== '') return fromToken(flags.token, flags, env);
  if (flags.dataDir !== undefined) return fromDataFolder(context, flags);
  const named = namedProfile(env, flags);
  if (named?.name === localProfile) return fromDataFolder(context, flags);
  if (named !== undefined) return fromProfile(named.name, profileOf(readProfiles(env), named.name, named.by), flags);
  const token = env['HATCHET_CLIENT_TOKEN'];
  if (token !== undefined && token !== '') return fromToken(token, flags, env);
  const profiles = readProfiles(env);
  if (profiles.chosen !== undefined)
    return fromProfile(profiles.chosen, profileOf(profiles, profiles.chosen, '`hatchet profile use`'), flags);
  return fromDataFolder(context, flags);
}

function fromToken(token: string, flags: ConnectionFlags, env: CliContext['env']): Connection {
  const named =
    flags.token === undefined ? 'HATCHET_CLIENT_TOKEN' : flags.tokenFile === undefined ? '--token' : '--token-file';
  const connection = connectionOf(token, {
    named,
    address: flags.address ?? env['HATCHET_CLIENT_HOST_PORT'],
    apiUrl: flags.apiUrl ?? env['HATCHET_CLIENT_API_URL'],
    settings: tlsSettingsOf(env),
    hints: {
      address: '--address host:port, or HATCHET_CLIENT_HOST_PORT',
      apiUrl:
        'Set HATCHET_CLIENT_API_URL to an https address, or HATCHET_CLIENT_TLS_STRATEGY=none on a network that you trust.',
    },
  });
  return { ...connection, namespace: env['HATCHET_CLIENT_NAMESPACE'], profile: undefined };
}

/** HATCHET_CLIENT_* is about the engine of that token, not about this one. @throws CliError with exit code 2 or 3 */
export function fromProfile(
  name: string,
  profile: Profile,
  flags: Pick<ConnectionFlags, 'address' | 'apiUrl'> = {},
): Connection {
  const { token, namespace, tls } = profile;
  const connection = connectionOf(token, {
    named: `profile ${name}`,
    address: flags.address ?? profile.address,
    apiUrl: flags.apiUrl ?? profile.apiUrl,
    settings: {
      strategy: tls.strategy,
      caFile: tls.caFile,
      certFile: tls.certFile,
      keyFile: tls.keyFile,
      serverName: tls.serverName,
    },
    hints: {
      address: '--address host:port',
      apiUrl: 'Add it with --api-url and an https address, or with --tls-strategy none on a network that you trust.',
    },
  });
  return { ...connection, namespace, profile: name };
}

interface Given {
  named: string;
  address: string | undefined;
  apiUrl: string | undefined;
  settings: TlsSettings;
  hints: { address: string; apiUrl: string };
}

/** What is not given is as the token says. */
function connectionOf(
  token: string,
  { named, address: givenAddress, apiUrl: givenApiUrl, settings, hints }: Given,
): Omit<Connection, 'namespace' | 'profile'> {
  const claims = tokenClaims(token.trim());
  if (claims === undefined)
    throw new CliError(`${named} does not hold a token`, {
      exitCode: ExitCode.noEngine,
      remedy: 'Make one with `hatchet token create`.',
    });
  const address = givenAddress ?? claims.grpcAddress;
  if (address === undefined) throw wrongUse(`${named} names no address`, `Give it with ${hints.address}.`);
  const apiUrl = givenApiUrl ?? claims.serverUrl ?? '';
  if (givenApiUrl === undefined && settings.strategy !== 'none' && isPlainAbroad(apiUrl))
    throw wrongUse(`${named} names ${apiUrl}: it would be sent there in plain text`, hints.apiUrl);
  const tls = resolveTls(settings, { hostPort: address, tokenApiUrl: claims.serverUrl, local: undefined });
  return { address, token: token.trim(), tls, apiUrl, source: named, dataDir: undefined };
}

function fromDataFolder(
  { cwd, env }: Pick<CliContext, 'cwd' | 'env'>,
  { dataDir: given, address, apiUrl }: ConnectionFlags,
): Connection {
  const { engine, token, dataDir } = findLocal(dataFolder(cwd, given));
  const connection = localConnection(engine, { token, dataDir, env, address });
  return apiUrl === undefined ? connection : { ...connection, apiUrl };
}

/** An engine of this machine, by its record. */
export function localConnection(
  engine: EngineRecord,
  options: { token: string; dataDir: string; env: CliContext['env']; address?: string | undefined },
): Connection {
  const { token, dataDir, env, address = engine.grpc } = options;
  const isElsewhere = address !== engine.grpc;
  const settings = tlsSettingsOf(env);
  // How it is spoken to is in its record; a strategy in the environment is for the engine that the environment names.
  const tls = isElsewhere
    ? resolveTls(settings, { hostPort: address, tokenApiUrl: apiUrlOf(engine), local: undefined })
    : resolveTls(
        { ...settings, strategy: undefined },
        { hostPort: address, tokenApiUrl: undefined, local: { tls: engine.tls ?? undefined } },
      );
  return {
    address,
    token,
    tls,
    apiUrl: apiUrlOf(engine),
    namespace: undefined,
    source: isElsewhere ? '--address' : dataDir,
    dataDir: isElsewhere ? undefined : dataDir,
    profile: undefined,
  };
}

function findLocal(dataDir: string): { engine: EngineRecord; token: string; dataDir: string } {
  const engine = runningEngine(dataDir);
  if (engine === undefined) {
    throw new CliError(`no engine runs on the data folder ${dataDir}`, {
      exitCode: ExitCode.noEngine,
      remedy:
        'Start one with `hatchet dev` or `hatchet engine start`, or name it with --data-dir, --profile or HATCHET_CLIENT_TOKEN.',
    });
  }
  const token = readLocalToken(dataDir);
  if (token === undefined)
    throw new CliError(`${dataDir} holds no readable token`, {
      exitCode: ExitCode.noEngine,
      remedy: 'Start the engine again: it writes one.',
    });
  return { engine, token, dataDir };
}
