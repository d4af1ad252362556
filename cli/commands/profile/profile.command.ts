import { Command, Option } from 'commander';
import { examples, withOutput, type CommandHost } from '../../command-host.ts';
import type { AddProfileFlags, ProfileOutputFlags, RemoveProfileFlags } from './profile.ts';

export function profileCommand(host: CommandHost): Command {
  return new Command('profile')
    .description('engines elsewhere under names of your own: shared ones, and Hatchet clusters')
    .addCommand(add(host))
    .addCommand(list(host))
    .addCommand(use(host))
    .addCommand(show(host))
    .addCommand(remove(host));
}

function add(host: CommandHost): Command {
  const command = new Command('add')
    .description('store the token of an engine under a name; without a token flag it is asked for')
    .argument('<name>', 'what to call it')
    .option('--token-file <path>', 'file with the access token, or - for stdin')
    .option('--token <token>', 'the access token itself, which others on the machine can see; - reads it from stdin')
    .option('--address <host:port>', 'gRPC address (default: that of the token)')
    .option('--api-url <url>', 'address of the REST API (default: that of the token)')
    .option('--namespace <name>', 'put before the names of workflows and events')
    .addOption(
      new Option(
        '--tls-strategy <strategy>',
        'none, tls or mtls (default: tls, and none on a loopback address)',
      ).choices(['none', 'tls', 'mtls']),
    )
    .option('--tls-ca-file <path>', 'certificate of the authority that has signed the certificate of the engine')
    .option('--tls-cert-file <path>', 'certificate of ours, for mtls')
    .option('--tls-key-file <path>', 'its key')
    .option('--tls-server-name <name>', 'name that the certificate of the engine has')
    .option('--use', 'choose it at once, as `hatchet profile use` does')
    .option('--replace', 'put it in the place of one of the same name')
    .action((name: string, flags: AddProfileFlags) =>
      host.run(async () => (await import('./profile.ts')).addProfile(host.context, name, flags)),
    );
  return examples(
    withOutput(command),
    'hatchet profile add cloud --token-file cloud.token --use',
    'hatchet profile add staging --token - --api-url https://hatchet.internal < token',
  );
}

function list(host: CommandHost): Command {
  const command = new Command('list')
    .alias('ls')
    .description('all of them, with the chosen one; without their tokens')
    .action((flags: ProfileOutputFlags) =>
      host.run(async () => (await import('./profile.ts')).listProfiles(host.context, flags)),
    );
  return examples(withOutput(command, ['text', 'json', 'ndjson']), 'hatchet profile list');
}

function use(host: CommandHost): Command {
  const command = new Command('use')
    .description('the engine of all commands that are told of no other; `local` is the one of the data folder')
    .argument('<name>', 'name of the profile, or local')
    .action((name: string, flags: ProfileOutputFlags) =>
      host.run(async () => (await import('./profile.ts')).useProfile(host.context, name, flags)),
    );
  return examples(withOutput(command), 'hatchet profile use cloud', 'hatchet profile use local');
}

function show(host: CommandHost): Command {
  const command = new Command('show')
    .description('one profile, without its token')
    .argument('[name]', 'name of the profile (default: the chosen one)')
    .action((name: string | undefined, flags: ProfileOutputFlags) =>
      host.run(async () => (await import('./profile.ts')).showProfile(host.context, name, flags)),
    );
  return examples(withOutput(command), 'hatchet profile show cloud -o json');
}

function remove(host: CommandHost): Command {
  const command = new Command('remove')
    .alias('rm')
    .description('forget a profile and its token; the token stays valid until it is revoked')
    .argument('<name>', 'name of the profile')
    .action((name: string, flags: RemoveProfileFlags) =>
      host.run(async () => (await import('./profile.ts')).removeProfile(host.context, name, flags)),
    );
  return examples(withOutput(command), 'hatchet profile remove cloud');
}
