import { Command } from 'commander';
import type { CommandHost } from './command-host.ts';
import { auditCommand } from './commands/audit/audit.command.ts';
import { benchCommand } from './commands/bench/bench.command.ts';
import { completionCommand } from './commands/completion/completion.command.ts';
import { cronsCommand } from './commands/crons/crons.command.ts';
import { devCommand } from './commands/dev/dev.command.ts';
import { doctorCommand } from './commands/doctor/doctor.command.ts';
import { engineCommand } from './commands/engine/engine.command.ts';
import { eventsCommand } from './commands/events/events.command.ts';
import { filtersCommand } from './commands/filters/filters.command.ts';
import { initCommand } from './commands/init/init.command.ts';
import { keysCommand } from './commands/keys/keys.command.ts';
import { mcpCommand } from './commands/mcp/mcp.command.ts';
import { migrateCommand } from './commands/migrate/migrate.command.ts';
import { pageCommand } from './commands/page/page.command.ts';
import { profileCommand } from './commands/profile/profile.command.ts';
import { queuesCommand } from './commands/queues/queues.command.ts';
import { rateLimitsCommand } from './commands/rate-limits/rate-limits.command.ts';
import { runsCommand } from './commands/runs/runs.command.ts';
import { schedulesCommand } from './commands/schedules/schedules.command.ts';
import { tenantsCommand } from './commands/tenants/tenants.command.ts';
import { tokenCommand } from './commands/token/token.command.ts';
import { triggerCommand } from './commands/trigger/trigger.command.ts';
import { tuiCommand } from './commands/tui/tui.command.ts';
import { webhooksCommand } from './commands/webhooks/webhooks.command.ts';
import { workerCommand } from './commands/worker/worker.command.ts';
import { workersCommand } from './commands/workers/workers.command.ts';
import { workflowsCommand } from './commands/workflows/workflows.command.ts';
import { noteChosenProfile } from './connection/unused-connection.ts';
import { readToken } from './input/read-token.ts';
import { warnOfVisibleSecrets } from './input/visible-secrets.ts';
import { packageRoot } from './package-root.ts';

/** In the order of the help. */
const defined = [
  initCommand,
  devCommand,
  workerCommand,
  triggerCommand,
  runsCommand,
  workflowsCommand,
  workersCommand,
  queuesCommand,
  eventsCommand,
  filtersCommand,
  webhooksCommand,
  cronsCommand,
  schedulesCommand,
  rateLimitsCommand,
  engineCommand,
  migrateCommand,
  profileCommand,
  tokenCommand,
  keysCommand,
  tenantsCommand,
  auditCommand,
  tuiCommand,
  pageCommand,
  mcpCommand,
  benchCommand,
  doctorCommand,
];

/** The command tree: names, flags and help. Behaviour is loaded when a command runs. */
export function createProgram(host: CommandHost): Command {
  const program = new Command('hatchet')
    .description('Task queue and durable workflows on Postgres: engine, workers and runs.')
    .version(packageRoot().version, '-v, --version')
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'help on a command')
    .addHelpText('after', '\nExample:\n  $ hatchet init my-app && cd my-app && npm install && npx hatchet dev');
  for (const define of defined) program.addCommand(define(host));
  program.addCommand(completionCommand(host, program));
  settle(program, host);
  // Before the command itself, which then finds the token wherever it was given.
  program.hook('preAction', async (_program, command) => {
    warnOfVisibleSecrets(host.context, command.opts());
    if (!command.options.some((option) => option.long === '--token-file')) return;
    const token = await readToken(host.context, command.opts());
    if (token !== undefined) command.setOptionValue('token', token);
    if (command.options.some((option) => option.long === '--profile')) noteChosenProfile(host.context, command.opts());
  });
  return program;
}

/** Errors are thrown, never exited on; help goes to stdout, complaints to stderr. */
function settle(command: Command, host: CommandHost): void {
  const { stdout, stderr } = host.context;
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined,
    })
    .showHelpAfterError(false);
  for (const child of command.commands) settle(child, host);
}
