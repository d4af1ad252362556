import { Command, Option } from 'commander';
import { examples, withAdministrationFlags, type CommandHost } from '../../command-host.ts';
import { wholeNumber } from '../../input/parse-flags.ts';
import { timeOrDelay } from '../../input/time-or-delay.ts';
import { tokenRoles } from './token-roles.ts';
import type { CreateTokenFlags, ListTokensFlags, TokenFlags } from './token.ts';

export function tokenCommand(host: CommandHost): Command {
  const create = new Command('create')
    .description('make a token; the bare token is all that is printed')
    .option('--name <name>', 'what it is for', 'cli')
    .addOption(
      new Option('--role <role>', 'what it may do; each role may do all that those before it may')
        .choices(tokenRoles)
        .default('admin'),
    )
    .option(
      '--expires <when>',
      'when it ends: after a duration such as 30d or 12h, or at a date (default: 365d)',
      timeOrDelay,
    )
    .addOption(new Option('--days <n>', 'the same, in days').argParser(wholeNumber(1, 36_500)).conflicts('expires'))
    .option('--tenant <tenant>', 'name or id of the tenant that it is for', 'default')
    .option('--grpc <host:port>', 'gRPC address that the token names (default: that of the running engine)')
    .option('--api-url <url>', 'HTTP address that the token names (default: that of the running engine)')
    .action((flags: CreateTokenFlags) =>
      host.run(async () => (await import('./token.ts')).createToken(host.context, flags)),
    );
  const list = new Command('list')
    .alias('ls')
    .description('tokens, without their text: roles, when each was last used, expiry')
    .option('--tenant <tenant>', 'name or id of the tenant', 'default')
    .action((flags: ListTokensFlags) =>
      host.run(async () => (await import('./token.ts')).listTokens(host.context, flags)),
    );
  const revoke = new Command('revoke')
    .description('end a token; running engines notice within seconds')
    .argument('<id>', 'id of the token, as listed')
    .action((id: string, flags: TokenFlags) =>
      host.run(async () => (await import('./token.ts')).revokeToken(host.context, id, flags)),
    );
  examples(
    withAdministrationFlags(create),
    'export HATCHET_CLIENT_TOKEN=$(hatchet token create --name ci)',
    'hatchet token create --name dashboard --role viewer --expires 30d',
  );
  examples(withAdministrationFlags(list), 'hatchet token list');
  examples(withAdministrationFlags(revoke), 'hatchet token revoke 0198c0de-0000-7000-8000-000000000000');
  return new Command('token')
    .description('access to the engine')
    .addCommand(create)
    .addCommand(list)
    .addCommand(revoke);
}
