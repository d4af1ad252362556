import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { outputOf } from '../../command-host.ts';
import { ExitCode } from '../../exit-codes.ts';
import { amount } from '../../output/amount.ts';
import { plainText } from '../../output/plain-text.ts';
import { withTenants, type DeleteTenantFlags } from './tenants.ts';

/** Counted no further: it is only shown. */
const mostRuns = 1_000_000;

/** @throws HatchetError UNKNOWN_TENANT, INVALID_ARGUMENT for `default` */
export function deleteTenant(context: CliContext, nameOrId: string, flags: DeleteTenantFlags): Promise<ExitCode> {
  return withTenants(context, flags, async (tenants) => {
    const tenant = await tenants.findDeletable(nameOrId);
    const runs = await tenants.countRuns(tenant.id, mostRuns);
    const what = `the tenant ${plainText(JSON.stringify(tenant.name))} (${tenant.id}) with ${runs === mostRuns ? `${mostRuns} or more runs` : amount(runs, 'run')} and ${amount(tenant.tokens, 'token')}`;
    if (flags.yes !== true) await confirm(context, what);
    const isNew = await tenants.delete(tenant.id);
    const output = outputOf(context, flags);
    output.value({ tenantId: tenant.id, name: tenant.name, runs, tokens: tenant.tokens, deleted: true }, () =>
      isNew ? `Deleted ${what}.` : `The tenant ${tenant.id} is being deleted already.`,
    );
    output.note(
      'Its tokens are refused from now on. A running engine removes its rows within minutes; `hatchet tenants list` shows it until then.',
    );
    return ExitCode.done;
  });
}

/** @throws CliError */
async function confirm(context: CliContext, what: string): Promise<void> {
  if (!isInteractive(context))
    throw wrongUse(`without a terminal nobody can be asked whether to delete ${what}`, 'Add --yes if that is meant.');
  const prompts = await import('@clack/prompts');
  const answer = await prompts.confirm({ message: `Delete ${what}? This cannot be undone.`, initialValue: false });
  if (answer !== true) throw new CliError('nothing was deleted', { exitCode: ExitCode.interrupted });
}
