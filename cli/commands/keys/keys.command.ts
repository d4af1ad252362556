import { Command } from 'commander';
import { examples, withAdministrationFlags, type CommandHost } from '../../command-host.ts';
import type { AgreedFlags, KeysFlags } from './keys.ts';

export function keysCommand(host: CommandHost): Command {
  const rotate = new Command('rotate')
    .description(
      'make a key that signs new tokens; tokens of older keys stay good, and running engines notice by themselves',
    )
    .action((flags: KeysFlags) => host.run(async () => (await import('./keys.ts')).rotateKey(host.context, flags)));
  const list = new Command('list')
    .alias('ls')
    .description('signing keys, with how many good tokens each has')
    .action((flags: KeysFlags) => host.run(async () => (await import('./keys.ts')).listKeys(host.context, flags)));
  const retire = new Command('retire')
    .description('end an older key and all tokens that it signed; running engines notice within five seconds')
    .argument('<id>', 'id of the key, as listed')
    .option('--yes', 'do not ask, although good tokens end')
    .action((id: string, flags: AgreedFlags) =>
      host.run(async () => (await import('./keys.ts')).retireKey(host.context, id, flags)),
    );
  const reset = new Command('reset')
    .description(
      'when the secret key is lost: delete the signing keys and webhooks that it sealed, and with them all tokens; the engine has to be stopped',
    )
    .option('--yes', 'do not ask')
    .action((flags: AgreedFlags) => host.run(async () => (await import('./keys.ts')).resetKeys(host.context, flags)));
  examples(withAdministrationFlags(rotate), 'hatchet keys rotate');
  examples(withAdministrationFlags(list), 'hatchet keys list');
  examples(withAdministrationFlags(retire), 'hatchet keys retire 0198c0de-0000-7000-8000-000000000000');
  examples(withAdministrationFlags(reset), 'hatchet keys reset --data-dir ./data');
  return new Command('keys')
    .description('keys that sign tokens')
    .addCommand(rotate)
    .addCommand(list)
    .addCommand(retire)
    .addCommand(reset);
}
