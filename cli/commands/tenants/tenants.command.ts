import { Command } from 'commander';
import { examples, withOutput, type CommandHost } from '../../command-host.ts';
import { names } from '../../input/parse-flags.ts';
import { limitValue } from './limit-value.ts';
import type { DeleteTenantFlags, LimitsFlags, TenantFlags } from './tenants.ts';

function withDatabaseFlags(command: Command): Command {
  return withOutput(
    command
      .option('--database-url <url>', 'Postgres of the engine (default: that of the data folder)')
      .option('--data-dir <folder>', 'data folder of the engine (default: .hatchet in the project)'),
  );
}

export function tenantsCommand(host: CommandHost): Command {
  const create = new Command('create')
    .description('make a tenant; its id is printed')
    .argument('<name>', 'unique among the tenants')
    .action((name: string, flags: TenantFlags) =>
      host.run(async () => (await import('./tenants.ts')).createTenant(host.context, name, flags)),
    );
  const list = new Command('list')
    .alias('ls')
    .description('tenants, with how many tokens of each are good')
    .action((flags: TenantFlags) =>
      host.run(async () => (await import('./tenants.ts')).listTenants(host.context, flags)),
    );
  const limits = new Command('limits')
    .description('what a tenant may use; with --set or --unset, change it: running engines follow within seconds')
    .argument('<tenant>', 'name or id')
    .option('--set <limit=number>', 'a limit in place of the default; may be repeated', limitValue)
    .option('--unset <limit>', 'back to the default; several with commas', names)
    .action((tenant: string, flags: LimitsFlags) =>
      host.run(async () => (await import('./tenants.ts')).tenantLimits(host.context, tenant, flags)),
    );
  const remove = new Command('delete')
    .description('delete a tenant with all of its runs: its tokens are refused at once, an engine removes the rest')
    .argument('<tenant>', 'name or id')
    .option('--yes', 'do not ask; needed without a terminal')
    .action((tenant: string, flags: DeleteTenantFlags) =>
      host.run(async () => (await import('./delete-tenant.ts')).deleteTenant(host.context, tenant, flags)),
    );
  examples(
    withDatabaseFlags(create),
    'hatchet tenants create acme',
    'hatchet token create --tenant acme --role worker',
  );
  examples(withDatabaseFlags(list), 'hatchet tenants list');
  examples(
    withDatabaseFlags(limits),
    'hatchet tenants limits acme',
    'hatchet tenants limits acme --set callsPerSecond=500 --unset crons',
  );
  examples(withDatabaseFlags(remove), 'hatchet tenants delete acme');
  return new Command('tenants')
    .description('separate users of one engine')
    .addCommand(create)
    .addCommand(list)
    .addCommand(limits)
    .addCommand(remove);
}
