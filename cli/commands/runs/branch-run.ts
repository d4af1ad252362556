import { DurableAdmin } from '../../admin/durable-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';

export interface BranchFlags extends ConnectionFlags, OutputFlag {
  node: number;
  branch?: number;
}

export type RestoreFlags = ConnectionFlags & OutputFlag;

/** A task that has ended runs again; one that runs is taken from its worker. @throws ServerError */
export function branchRun(context: CliContext, id: string, flags: BranchFlags): Promise<ExitCode> {
  return withAdmin(context, flags, async (admin) => {
    const made = await admin.branch({ taskId: id, branch: flags.branch, node: flags.node });
    outputOf(context, flags).value(
      made,
      () => `${made.taskId} goes on from node ${made.node}, on branch ${made.branch}`,
    );
  });
}

/** @throws ServerError */
export function restoreRun(context: CliContext, id: string, flags: RestoreFlags): Promise<ExitCode> {
  return withAdmin(context, flags, async (admin) => {
    const answer = await admin.restore(id);
    outputOf(context, flags).value(answer, () =>
      answer.requeued
        ? `${answer.taskId} is queued again`
        : `${answer.taskId} is not evicted: there is nothing to wake`,
    );
  });
}

async function withAdmin(
  context: CliContext,
  flags: ConnectionFlags,
  work: (admin: DurableAdmin) => Promise<void>,
): Promise<ExitCode> {
  const admin = new DurableAdmin(resolveConnection(context, flags));
  try {
    await work(admin);
  } finally {
    admin.close();
  }
  return ExitCode.done;
}
