import { resolve } from 'node:path';
import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import {
  localProfile,
  profileOf,
  profilesPath,
  readProfiles,
  writeProfiles,
  type Profile,
  type Profiles,
} from '../../connection/profile-store.ts';
import { fromProfile } from '../../connection/resolve-connection.ts';
import { tokenClaims } from '../../connection/token-claims.ts';
import { ExitCode } from '../../exit-codes.ts';
import { readSecret } from '../../input/read-secret.ts';
import type { Table } from '../../output/table.ts';

export type ProfileOutputFlags = OutputFlag;
export type RemoveProfileFlags = OutputFlag;

export interface AddProfileFlags extends OutputFlag {
  /** From whichever flag gave it. */
  token?: string;
  tokenFile?: string;
  address?: string;
  apiUrl?: string;
  namespace?: string;
  tlsStrategy?: string;
  tlsCaFile?: string;
  tlsCertFile?: string;
  tlsKeyFile?: string;
  tlsServerName?: string;
  use?: true;
  replace?: true;
}

/** What is shown of one: never its token. */
interface ProfileRow {
  name: string;
  chosen: boolean;
  address: string;
  apiUrl: string;
  tenantId: string | null;
  namespace: string | null;
  tls: string;
  expiresAt: string | null;
}

const table: Table<ProfileRow> = {
  columns: [
    { title: 'PROFILE', cell: (row) => row.name, max: 30 },
    { title: 'CHOSEN', cell: (row) => (row.chosen ? 'yes' : '') },
    { title: 'ADDRESS', cell: (row) => row.address, max: 50 },
    { title: 'API', cell: (row) => row.apiUrl, max: 60 },
    { title: 'TLS', cell: (row) => row.tls },
    { title: 'EXPIRES', cell: (row) => row.expiresAt ?? '' },
  ],
  empty: 'No profiles. Add one with `hatchet profile add <name> --token-file <path>`.',
};

const names = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** @throws CliError with exit code 2 for a name that is taken, for what is no token, and for one that names no address */
export async function addProfile(context: CliContext, name: string, flags: AddProfileFlags): Promise<ExitCode> {
  if (name === localProfile) throw wrongUse(`${localProfile} is the engine of the data folder`, 'Choose another name.');
  if (!names.test(name))
    throw wrongUse(
      `${JSON.stringify(name)} is no name for a profile`,
      'Take letters, digits, `.`, `_` and `-`, 63 at most.',
    );
  if (flags.address !== undefined && !/^[^/\s]+:\d+$/.test(flags.address))
    throw wrongUse(`--address is ${JSON.stringify(flags.address)}`, 'Give it as host:port, without a scheme.');
  if (flags.apiUrl !== undefined && !/^https?:\/\//.test(flags.apiUrl))
    throw wrongUse(`--api-url is ${JSON.stringify(flags.apiUrl)}`, 'Begin it with http:// or https://.');
  const before = readProfiles(context.env);
  if (before.byName.has(name) && flags.replace !== true)
    throw wrongUse(`there is a profile ${name}`, 'Add --replace to put this one in its place.');
  const profile = profileFrom(context, flags, await givenToken(context, flags));
  if (tokenClaims(profile.token)?.tenantId === undefined)
    throw wrongUse(
      'what was given is no access token',
      'Make one on the engine: `hatchet token create`, or on the page of the cluster.',
    );
  const row = rowOf({ name, profile, chosen: flags.use === true });
  writeProfiles(context.env, {
    chosen: flags.use === true ? name : before.chosen,
    byName: new Map([...before.byName, [name, profile]]),
  });
  const output = outputOf(context, flags);
  output.value(row, () => `${name}  ${row.address}`);
  output.note(
    `Stored in ${profilesPath(context.env)}. Use it with --profile ${name}${flags.use === true ? '; it is the chosen one now' : `, or choose it with \`hatchet profile use ${name}\``}.`,
  );
  return ExitCode.done;
}

async function givenToken(context: CliContext, { token }: AddProfileFlags): Promise<string> {
  if (token !== undefined) return token.trim();
  if (!isInteractive(context))
    throw wrongUse('the token is missing', 'Give it by --token-file PATH, or --token - to read it from stdin.');
  return (await readSecret(context, {}, 'access token')).trim();
}

/** Paths are kept as they are from everywhere. */
function profileFrom({ cwd }: CliContext, flags: AddProfileFlags, token: string): Profile {
  const path = (given: string | undefined): string | undefined =>
    given === undefined ? undefined : resolve(cwd, given);
  const kept = <Fields extends Record<string, string | undefined>>(
    fields: Fields,
  ): { [Name in keyof Fields]?: string } => {
    const found: { [Name in keyof Fields]?: string } = {};
    for (const field in fields) {
      const value = fields[field];
      if (value !== undefined) found[field] = value;
    }
    return found;
  };
  return {
    token,
    ...kept({ address: flags.address, apiUrl: flags.apiUrl?.replace(/\/+$/, ''), namespace: flags.namespace }),
    tls: kept({
      strategy: flags.tlsStrategy,
      caFile: path(flags.tlsCaFile),
      certFile: path(flags.tlsCertFile),
      keyFile: path(flags.tlsKeyFile),
      serverName: flags.tlsServerName,
    }),
  };
}

/** @throws CliError where the token names no address and the profile neither */
function rowOf({ name, profile, chosen }: { name: string; profile: Profile; chosen: boolean }): ProfileRow {
  const { address, apiUrl, tls, namespace = null } = fromProfile(name, profile);
  const claims = tokenClaims(profile.token);
  return {
    name,
    chosen,
    address,
    apiUrl,
    tenantId: claims?.tenantId ?? null,
    namespace,
    tls: tls.strategy,
    expiresAt: claims?.expiresAt?.toISOString() ?? null,
  };
}

function rows({ byName, chosen }: Profiles): ProfileRow[] {
  return [...byName]
    .map(([name, profile]) => rowOf({ name, profile, chosen: name === chosen }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function listProfiles(context: CliContext, flags: ProfileOutputFlags): Promise<ExitCode> {
  outputOf(context, flags).list({ rows: rows(readProfiles(context.env)), next: null }, table);
  return Promise.resolve(ExitCode.done);
}

/** @throws CliError with exit code 2 for a name that is not there */
export function useProfile(context: CliContext, name: string, flags: ProfileOutputFlags): Promise<ExitCode> {
  const profiles = readProfiles(context.env);
  if (name !== localProfile) profileOf(profiles, name);
  writeProfiles(context.env, { ...profiles, chosen: name === localProfile ? undefined : name });
  const output = outputOf(context, flags);
  output.value({ chosen: name }, () => name);
  if ((context.env['HATCHET_PROFILE'] ?? '') !== '') output.warn('HATCHET_PROFILE is set, and goes before it');
  else if ((context.env['HATCHET_CLIENT_TOKEN'] ?? '') !== '')
    output.warn('HATCHET_CLIENT_TOKEN is set, and goes before it; --profile goes before both');
  return Promise.resolve(ExitCode.done);
}

/** @throws CliError with exit code 2 where none is chosen, or the name is not there */
export function showProfile(
  context: CliContext,
  given: string | undefined,
  flags: ProfileOutputFlags,
): Promise<ExitCode> {
  const profiles = readProfiles(context.env);
  const name = given ?? profiles.chosen;
  if (name === undefined)
    throw wrongUse(
      'no profile is chosen: commands use the engine of the data folder',
      'Name one, or choose one with `hatchet profile use <name>`.',
    );
  const row = rowOf({ name, profile: profileOf(profiles, name), chosen: name === profiles.chosen });
  outputOf(context, flags).value(row, () =>
    [
      `${row.name}${row.chosen ? '  chosen' : ''}`,
      `address ${row.address}, TLS ${row.tls}`,
      `API ${row.apiUrl}`,
      `tenant ${row.tenantId ?? 'unknown'}`,
      ...(row.namespace === null ? [] : [`namespace ${row.namespace}`]),
      `the token ${row.expiresAt === null ? 'says no end' : `ends ${row.expiresAt}`}`,
    ].join('\n'),
  );
  return Promise.resolve(ExitCode.done);
}

/** @throws CliError with exit code 4 for a name that is not there */
export function removeProfile(context: CliContext, name: string, flags: RemoveProfileFlags): Promise<ExitCode> {
  const { chosen, byName } = readProfiles(context.env);
  const left = new Map(byName);
  if (!left.delete(name))
    throw new CliError(`there is no profile ${JSON.stringify(name)}`, {
      exitCode: ExitCode.unknown,
      remedy: 'See `hatchet profile list`.',
    });
  writeProfiles(context.env, { chosen: chosen === name ? undefined : chosen, byName: left });
  const output = outputOf(context, flags);
  output.value({ removed: name }, () => `Removed ${name}.`);
  if (chosen === name) output.note('It was the chosen one: commands use the engine of the data folder again.');
  return Promise.resolve(ExitCode.done);
}
