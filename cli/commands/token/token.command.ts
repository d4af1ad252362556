import { Command } from 'commander';
import { examples, withAdministrationFlags, type CommandHost } from '../../command-host.ts';
import { wholeNumber } from '../../input/parse-flags.ts';
import type { CreateTokenFlags, TokenFlags } from './token.ts';

export function tokenCommand(host: CommandHost): Command {
  const create = new Command('create')
    .description('make a token; the bare token is all that is printed')
    .option('--name <name>', 'what it is for', 'cli')
    .option('--days <n>', 'days that it is valid', wholeNumber(1, 36_500), 365)
    .option('--grpc <host:port>', 'gRPC address that the token names (default: that of the running engine)')
    .option('--api-url <url>', 'HTTP address that the token names (default: that of the running engine)')
    .action((flags: CreateTokenFlags) => host.run(async () => (await import('./token.ts')).createToken(host.context, flags)));
  const list = new Command('list')
    .alias('ls')
    .description('tokens, without their text')
    .action((flags: TokenFlags) => host.run(async () => (await import('./token.ts')).listTokens(host.context, flags)));
  const revoke = new Command('revoke')
    .description('end a token; running engines notice within seconds')
    .argument('<id>', 'id of the token, as listed')
    .action((id: string, flags: TokenFlags) => host.run(async () => (await import('./token.ts')).revokeToken(host.context, id, flags)));
  examples(withAdministrationFlags(create), 'export HATCHET_CLIENT_TOKEN=$(hatchet token create --name ci)');
  examples(withAdministrationFlags(list), 'hatchet token list');
  examples(withAdministrationFlags(revoke), 'hatchet token revoke 0198c0de-0000-7000-8000-000000000000');
  return new Command('token').description('access to the engine').addCommand(create).addCommand(list).addCommand(revoke);
}
