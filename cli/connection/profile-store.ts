import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { distrustRecord } from '../../sdk/config/trusted-record.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError, wrongUse } from '../cli-error.ts';
import { ExitCode } from '../exit-codes.ts';
import { isRecord } from '../project/json-value.ts';

/** An engine elsewhere under a name of the user's own. */
export interface Profile {
  token: string;
  /** `host:port`; else the token names it. */
  address?: string;
  apiUrl?: string;
  namespace?: string;
  tls: ProfileTls;
}

export interface ProfileTls {
  strategy?: string;
  caFile?: string;
  certFile?: string;
  keyFile?: string;
  serverName?: string;
}

export interface Profiles {
  /** What `hatchet profile use` named; undefined for the data folder's engine. */
  chosen: string | undefined;
  byName: ReadonlyMap<string, Profile>;
}

/** The engine of the data folder, which is always there and is never stored. */
export const localProfile = 'local';

type Env = CliContext['env'];

/** HATCHET_CONFIG_DIR, else the folder that the system has for a user's settings. */
export function profilesPath(env: Env): string {
  const set = (name: string): string | undefined =>
    env[name] === undefined || env[name] === '' ? undefined : env[name];
  const base =
    set('XDG_CONFIG_HOME') ??
    (process.platform === 'win32' ? set('APPDATA') : undefined) ??
    join(set('HOME') ?? homedir(), '.config');
  return join(set('HATCHET_CONFIG_DIR') ?? join(base, 'hatchet-ts'), 'profiles.json');
}

/** @throws CliError for a file that is none of ours, or that others could have written */
export function readProfiles(env: Env): Profiles {
  const path = profilesPath(env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return { chosen: undefined, byName: new Map() };
    throw new CliError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const distrust = distrustRecord(path);
  if (distrust !== undefined)
    throw new CliError(`${path} is not to be trusted: ${distrust}`, {
      exitCode: ExitCode.noEngine,
      remedy: `Remove it, or make it yours alone: chmod 600 ${path} && chmod 700 ${dirname(path)}.`,
    });
  const profiles = parse(text);
  if (profiles === undefined)
    throw new CliError(`${path} holds no profiles`, {
      remedy: 'Remove it, and add them again with `hatchet profile add`.',
    });
  return profiles;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Whole or not at all, for the user alone: tokens are in it. @throws CliError */
export function writeProfiles(env: Env, { chosen, byName }: Profiles): void {
  const path = profilesPath(env);
  const folder = dirname(path);
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(
      temporary,
      `${JSON.stringify({ chosen: chosen ?? null, profiles: Object.fromEntries(byName) }, undefined, 2)}\n`,
      { mode: 0o600 },
    );
    chmodSync(temporary, 0o600); // one that was left behind keeps its mode
    renameSync(temporary, path);
  } catch (error) {
    throw new CliError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
      remedy: 'Change its permissions, or name another folder by HATCHET_CONFIG_DIR.',
      cause: error,
    });
  }
}

function parse(text: string): Profiles | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(stored) || !isRecord(stored['profiles'])) return undefined;
  const byName = new Map<string, Profile>();
  for (const [name, value] of Object.entries(stored['profiles'])) {
    const profile = parseProfile(value);
    if (profile === undefined) return undefined;
    byName.set(name, profile);
  }
  const { chosen } = stored;
  return { chosen: typeof chosen === 'string' ? chosen : undefined, byName };
}

function parseProfile(value: unknown): Profile | undefined {
  if (!isRecord(value) || typeof value['token'] !== 'string') return undefined;
  const tls = isRecord(value['tls']) ? value['tls'] : {};
  return {
    token: value['token'],
    ...texts(value, ['address', 'apiUrl', 'namespace']),
    tls: texts(tls, ['strategy', 'caFile', 'certFile', 'keyFile', 'serverName']),
  };
}

function texts<const Name extends string>(
  value: Record<string, unknown>,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const text = value[name];
    if (typeof text === 'string' && text !== '') found[name] = text;
  }
  return found;
}

/** @throws CliError with exit code 2 for a name that is not there */
export function profileOf({ byName }: Profiles, name: string, namedBy?: string): Profile {
  const profile = byName.get(name);
  if (profile !== undefined) return profile;
  const names = [localProfile, ...byName.keys()];
  throw wrongUse(
    namedBy === undefined
      ? `there is no profile ${JSON.stringify(name)}`
      : `${namedBy} names the profile ${JSON.stringify(name)}, which is not there`,
    `There are ${names.join(', ')}; \`hatchet profile add ${name}\` makes it.`,
  );
}

export interface ProfileFlags {
  profile?: string;
}

/** What names the profile that a command is to use, if anything does: the flag, else the variable. */
export function namedProfile(env: Env, { profile }: ProfileFlags): { name: string; by: string } | undefined {
  if (profile !== undefined) return { name: profile, by: '--profile' };
  const name = env['HATCHET_PROFILE'];
  return name === undefined || name === '' ? undefined : { name, by: 'HATCHET_PROFILE' };
}

/** Whether something names an engine other than that of the data folder. @throws CliError for a file of profiles that is not to be trusted */
export function namesEngine(env: Env, flags: ProfileFlags & { token?: string }): boolean {
  if (flags.token !== undefined) return true;
  const named = namedProfile(env, flags);
  if (named !== undefined) return named.name !== localProfile;
  return (env['HATCHET_CLIENT_TOKEN'] ?? '') !== '' || readProfiles(env).chosen !== undefined;
}
