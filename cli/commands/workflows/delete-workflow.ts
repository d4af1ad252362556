import { isInteractive, type CliContext } from '../../cli-context.ts';
import { CliError, wrongUse } from '../../cli-error.ts';
import { outputOf } from '../../command-host.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { plainText } from '../../output/plain-text.ts';
import type { WorkflowFlags } from './workflows.ts';

export type DeleteWorkflowFlags = WorkflowFlags & { yes?: true };

/** @throws HatchetError UNKNOWN_WORKFLOW; CliError where it is not confirmed */
export function deleteWorkflow(context: CliContext, name: string, flags: DeleteWorkflowFlags): Promise<ExitCode> {
  return withSdk(context, flags, async ({ workflows }) => {
    const workflow = await workflows.get(name);
    if (flags.yes !== true) await confirm(context, plainText(JSON.stringify(workflow.name)));
    await workflows.delete(workflow.name);
    outputOf(context, flags).value(
      { workflowId: workflow.metadata.id, name: workflow.name, deleted: true },
      () => `${plainText(workflow.name)}  deleted`,
    );
    return ExitCode.done;
  });
}

/** @throws CliError */
async function confirm(context: CliContext, name: string): Promise<void> {
  const what = `the workflow ${name}, its timers and filters, and cancel what is queued of it`;
  if (!isInteractive(context))
    throw wrongUse(`without a terminal nobody can be asked whether to delete ${what}`, 'Add --yes if that is meant.');
  const prompts = await import('@clack/prompts');
  if ((await prompts.confirm({ message: `Delete ${what}?`, initialValue: false })) !== true)
    throw new CliError('nothing was deleted', { exitCode: ExitCode.interrupted });
}
