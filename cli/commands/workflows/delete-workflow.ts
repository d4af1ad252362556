import type { CliContext } from '../../cli-context.ts';
import { outputOf } from '../../command-host.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { confirmDeletion } from '../../input/confirm-deletion.ts';
import { plainText } from '../../output/plain-text.ts';
import type { WorkflowFlags } from './workflows.ts';

export type DeleteWorkflowFlags = WorkflowFlags & { yes?: true };

/** @throws HatchetError UNKNOWN_WORKFLOW; CliError where it is not confirmed */
export function deleteWorkflow(context: CliContext, name: string, flags: DeleteWorkflowFlags): Promise<ExitCode> {
  return withSdk(context, flags, async ({ workflows }) => {
    const workflow = await workflows.get(name);
    const what = `the workflow ${plainText(JSON.stringify(workflow.name))}, its timers and filters, and cancel what is queued of it`;
    if (flags.yes !== true) await confirmDeletion(context, what);
    await workflows.delete(workflow.name);
    outputOf(context, flags).value(
      { workflowId: workflow.metadata.id, name: workflow.name, deleted: true },
      () => `${plainText(workflow.name)}  deleted`,
    );
    return ExitCode.done;
  });
}
