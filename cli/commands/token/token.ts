import type { Role, TokenInfo } from '../../../engine/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { withAdministration, type AdministrationFlags } from '../../database/with-administration.ts';
import { apiUrlOf } from '../../engine-process/engine-record.ts';
import { ExitCode } from '../../exit-codes.ts';
import type { Table } from '../../output/table.ts';

export interface TokenFlags extends AdministrationFlags, OutputFlag {}

export interface CreateTokenFlags extends TokenFlags {
  name: string;
  role: Role;
  tenant: string;
  expires?: Date;
  days?: number;
  grpc?: string;
  apiUrl?: string;
}

export interface ListTokensFlags extends TokenFlags {
  tenant: string;
}

const dayMs = 86_400_000;
const defaultDays = 365;
const mostDays = 36_500;
const defaultGrpc = '127.0.0.1:7077';
const defaultApi = 'http://127.0.0.1:8888';

const table: Table<TokenInfo> = {
  columns: [
    { title: 'TOKEN', cell: (token) => token.id },
    { title: 'NAME', cell: (token) => token.name, max: 40 },
    { title: 'ROLE', cell: (token) => token.role },
    { title: 'CREATED', cell: (token) => token.createdAt.toISOString() },
    { title: 'USED', cell: (token) => token.lastUsedAt?.toISOString() ?? 'never' },
    { title: 'EXPIRES', cell: (token) => token.expiresAt.toISOString() },
    { title: 'REVOKED', cell: (token) => token.revokedAt?.toISOString() ?? '' },
  ],
  empty: 'No tokens. Make one with `hatchet token create`.',
};

export function createToken(context: CliContext, flags: CreateTokenFlags): Promise<ExitCode> {
  if (flags.grpc !== undefined && !/^[^/\s]+:\d+$/.test(flags.grpc))
    throw wrongUse(`--grpc is ${JSON.stringify(flags.grpc)}`, 'Give it as host:port, without a scheme.');
  if (flags.apiUrl !== undefined && !/^https?:\/\//.test(flags.apiUrl))
    throw wrongUse(`--api-url is ${JSON.stringify(flags.apiUrl)}`, 'Begin it with http:// or https://.');
  const expiresAt = expiryOf(flags);
  const { name, role, tenant } = flags;
  return withAdministration(context, flags, async (tokens, { engine }) => {
    const addresses = {
      grpcBroadcastAddress: flags.grpc ?? engine?.grpc ?? defaultGrpc,
      serverUrl: flags.apiUrl ?? (engine === undefined ? defaultApi : apiUrlOf(engine)),
    };
    const made = await tokens.create({ tenant, name, role, expiresAt, addresses });
    const output = outputOf(context, flags);
    output.value({ ...made, ...addresses }, () => made.token);
    if (/^(?:0\.0\.0\.0|\[::\]):/.test(addresses.grpcBroadcastAddress))
      output.note(
        `It names ${addresses.grpcBroadcastAddress}, which leads nowhere from other machines. For those, make one with --grpc host:port and --api-url http://host:port.`,
      );
    return ExitCode.done;
  });
}

/** @throws CliError with exit code 2 */
function expiryOf({ expires, days = defaultDays }: CreateTokenFlags): Date {
  const expiresAt = expires ?? new Date(Date.now() + days * dayMs);
  if (expiresAt.getTime() <= Date.now())
    throw wrongUse(
      `--expires is ${expiresAt.toISOString()}, which is over`,
      'Give a duration such as 30d, or a date to come.',
    );
  if (expiresAt.getTime() > Date.now() + (mostDays + 1) * dayMs)
    throw wrongUse(`--expires is ${expiresAt.toISOString()}`, `Give at most ${mostDays} days.`);
  return expiresAt;
}

export function listTokens(context: CliContext, flags: ListTokensFlags): Promise<ExitCode> {
  return withAdministration(context, flags, async (tokens) => {
    outputOf(context, flags).list({ rows: await tokens.list(flags.tenant), next: null }, table);
    return ExitCode.done;
  });
}

export function revokeToken(context: CliContext, id: string, flags: TokenFlags): Promise<ExitCode> {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
    throw wrongUse(
      `${JSON.stringify(id)} is no token's id`,
      'Find it with `hatchet token list`; the token itself is not needed.',
    );
  return withAdministration(context, flags, async (tokens) => {
    if (!(await tokens.revoke(id)))
      throw new CliError(`there is no token ${id}`, {
        exitCode: ExitCode.unknown,
        remedy: 'Find it with `hatchet token list`.',
      });
    outputOf(context, flags).value({ revoked: id }, () => `Revoked ${id}.`);
    return ExitCode.done;
  });
}
