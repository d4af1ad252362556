import type { CliContext } from '../../cli-context.ts';
import { outputOf } from '../../command-host.ts';
import { ExitCode } from '../../exit-codes.ts';
import { confirmDeletion } from '../../input/confirm-deletion.ts';
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
    if (flags.yes !== true) await confirmDeletion(context, what, ' This cannot be undone.');
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
