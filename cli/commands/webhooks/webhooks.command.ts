import { Command, Option } from 'commander';
import { examples, withConnection, withOutput, type CommandHost } from '../../command-host.ts';
import { withOffset } from '../../input/offset-page.ts';
import { choice } from '../../input/parse-flags.ts';
import { authKinds, hmacAlgorithms, hmacEncodings, webhookSources } from './webhook-auth.ts';
import type { CreateWebhookFlags, ListWebhooksFlags, UpdateWebhookFlags, WebhookFlags } from './webhooks.ts';

const keyHelp = `CEL over input (the body) and headers; it gives the event's key`;

export function webhooksCommand(host: CommandHost): Command {
  return new Command('webhooks')
    .description('see and change webhooks: addresses to which others post events')
    .addCommand(list(host))
    .addCommand(get(host))
    .addCommand(create(host))
    .addCommand(update(host))
    .addCommand(remove(host));
}

function list(host: CommandHost): Command {
  const command = withOffset(new Command('list'))
    .alias('ls')
    .description('webhooks, and why the newest refused request was refused')
    .option('--source <name>', webhookSources.join(', '), choice(webhookSources))
    .action((flags: ListWebhooksFlags) =>
      host.run(async () => (await import('./webhooks.ts')).listWebhooks(host.context, flags)),
    );
  return examples(withOutput(withConnection(command), ['text', 'json', 'ndjson']), 'hatchet webhooks list');
}

function get(host: CommandHost): Command {
  const command = new Command('get')
    .description('one webhook, with the address for its sender; never with its secret')
    .argument('<name>', 'name of the webhook')
    .action((name: string, flags: WebhookFlags) =>
      host.run(async () => (await import('./webhooks.ts')).getWebhook(host.context, name, flags)),
    );
  return examples(withOutput(withConnection(command)), 'hatchet webhooks get github');
}

function create(host: CommandHost): Command {
  const command = withEvent(
    new Command('create')
      .description('make an address for a sender, and print it')
      .argument('<name>', 'the last part of the address'),
    'requiredOption',
  )
    .requiredOption('--source <name>', webhookSources.join(', '), choice(webhookSources))
    .addOption(new Option('--auth <kind>', 'how requests are checked').choices(authKinds).default('hmac'))
    .option('--secret-env <name>', 'variable that holds the signing secret, password or API key')
    .option('--secret-file <path>', 'file that holds it, or - for stdin')
    .option('--secret <text>', 'the secret itself; others on the machine can see it')
    .option('--username <name>', 'with --auth basic')
    .option('--header <name>', 'header of the API key or the signature (default: that of the source)')
    .option(
      '--algorithm <name>',
      `with --auth hmac: ${hmacAlgorithms.join(', ')} (default: that of the source)`,
      choice(hmacAlgorithms),
    )
    .option(
      '--encoding <name>',
      `with --auth hmac: ${hmacEncodings.join(', ')} (default: that of the source)`,
      choice(hmacEncodings),
    )
    .action((name: string, flags: CreateWebhookFlags) =>
      host.run(async () => (await import('./webhooks.ts')).createWebhook(host.context, name, flags)),
    );
  return examples(
    withOutput(withConnection(command)),
    `hatchet webhooks create github --source GITHUB --key "'github:' + headers['x-github-event']" --secret-env GITHUB_SECRET`,
    `hatchet webhooks create shop --source GENERIC --key "'shop:' + input.type" --auth api-key --header X-Api-Key --secret-file -`,
  );
}

function update(host: CommandHost): Command {
  const command = withEvent(
    new Command('update')
      .description('change what is given of it; its source and credentials stay')
      .argument('<name>', 'name of the webhook'),
    'option',
  )
    .option('--no-respond-event', 'answer the sender without the event')
    .action((name: string, flags: UpdateWebhookFlags) =>
      host.run(async () => (await import('./webhooks.ts')).updateWebhook(host.context, name, flags)),
    );
  return examples(withOutput(withConnection(command)), `hatchet webhooks update shop --key "'shop:' + input.kind"`);
}

function remove(host: CommandHost): Command {
  const command = new Command('delete')
    .description('remove it: its sender is answered with 403')
    .argument('<name>', 'name of the webhook')
    .action((name: string, flags: WebhookFlags) =>
      host.run(async () => (await import('./webhooks.ts')).deleteWebhook(host.context, name, flags)),
    );
  return examples(withOutput(withConnection(command)), 'hatchet webhooks delete github');
}

/** What becomes of a request. */
function withEvent(command: Command, key: 'option' | 'requiredOption'): Command {
  return command[key]('--key <cel>', keyHelp)
    .option('--scope <cel>', `CEL that gives the event's scope`)
    .option('--payload <json>', 'JSON object whose values win over those of the body')
    .option('--respond-event', 'answer the sender with the event');
}
