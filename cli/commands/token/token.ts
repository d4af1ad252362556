import type { TokenInfo } from '../../../engine/index.ts';
import type { CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { withAdministration, type AdministrationFlags } from '../../database/with-administration.ts';
import { apiUrlOf } from '../../engine-process/engine-record.ts';
import { ExitCode } from '../../exit-code.ts';
import type { Table } from '../../output/table.ts';

export interface TokenFlags extends AdministrationFlags, OutputFlag {}

export interface CreateTokenFlags extends TokenFlags {
  name: string;
  days: number;
  grpc?: string;
  apiUrl?: string;
}

const defaultGrpc = '127.0.0.1:7077';
const defaultApi = 'http://127.0.0.1:8888';

const table: Table<TokenInfo> = {
  columns: [
    { title: 'TOKEN', cell: (token) => token.id },
    { title: 'NAME', cell: (token) => token.name, max: 40 },
    { title: 'CREATED', cell: (token) => token.createdAt.toISOString() },
    { title: 'EXPIRES', cell: (token) => token.expiresAt.toISOString() },
    { title: 'REVOKED', cell: (token) => token.revokedAt?.toISOString() ?? '' },
  ],
  empty: 'No tokens. Make one with `hatchet token create`.',
};

export function createToken(context: CliContext, flags: CreateTokenFlags): Promise<ExitCode> {
  if (flags.grpc !== undefined && !/^[^/\s]+:\d+$/.test(flags.grpc)) throw wrongUse(`--grpc is ${JSON.stringify(flags.grpc)}`, 'Give it as host:port, without a scheme.');
  if (flags.apiUrl !== undefined && !/^https?:\/\//.test(flags.apiUrl)) throw wrongUse(`--api-url is ${JSON.stringify(flags.apiUrl)}`, 'Begin it with http:// or https://.');
  return withAdministration(context, flags, async (tokens, { engine }) => {
    const addresses = {
      grpcBroadcastAddress: flags.grpc ?? engine?.grpc ?? defaultGrpc,
      serverUrl: flags.apiUrl ?? (engine === undefined ? defaultApi : apiUrlOf(engine)),
    };
    const token = await tokens.create({ name: flags.name, expiresInDays: flags.days, addresses });
    const output = outputOf(context, flags);
    output.value({ token, ...addresses }, () => token);
    if (/^(?:0\.0\.0\.0|\[::\]):/.test(addresses.grpcBroadcastAddress)) output.note(`It names ${addresses.grpcBroadcastAddress}, which leads nowhere from other machines. For those, make one with --grpc host:port and --api-url http://host:port.`);
    return ExitCode.done;
  });
}

export function listTokens(context: CliContext, flags: TokenFlags): Promise<ExitCode> {
  return withAdministration(context, flags, async (tokens) => {
    outputOf(context, flags).list({ rows: await tokens.list(), next: null }, table);
    return ExitCode.done;
  });
}

export function revokeToken(context: CliContext, id: string, flags: TokenFlags): Promise<ExitCode> {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) throw wrongUse(`${JSON.stringify(id)} is no token's id`, 'Find it with `hatchet token list`; the token itself is not needed.');
  return withAdministration(context, flags, async (tokens) => {
    if (!(await tokens.revoke(id))) throw new CliError(`there is no token ${id}`, { exitCode: ExitCode.unknown, remedy: 'Find it with `hatchet token list`.' });
    outputOf(context, flags).value({ revoked: id }, () => `Revoked ${id}.`);
    return ExitCode.done;
  });
}
