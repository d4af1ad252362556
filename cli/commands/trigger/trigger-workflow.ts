import { RunAdmin } from '../../admin/run-admin.ts';
import type { CliContext } from '../../cli-context.ts';
import { wrongUse } from '../../cli-error.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import { resolveConnection, type Connection, type ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-codes.ts';
import { checkAgainstSchema, checkPayload } from '../../input/check-input.ts';
import { readInput, type InputFlags } from '../../input/read-input.ts';
import { openReader } from '../../monitor/open-reader.ts';
import { knownWorkflow, nameInNamespace } from '../../monitor/known-workflow.ts';
import type { WorkflowDetail } from '../../monitor/run-reader.ts';
import { amount } from '../../output/amount.ts';
import type { Output } from '../../output/output.ts';
import { Progress } from '../../output/progress.ts';
import { waitForRun } from './wait-for-run.ts';

export interface TriggerFlags extends ConnectionFlags, InputFlags, OutputFlag {
  metadata?: Record<string, string>;
  priority?: number;
  count: number;
  wait?: true;
  dryRun?: true;
}

/** Calls under way at once with --count. */
const lanes = 32;

/** @throws CliError, ServerError */
export async function triggerWorkflow(context: CliContext, name: string, flags: TriggerFlags): Promise<ExitCode> {
  if (flags.wait === true && flags.count > 1)
    throw wrongUse(
      '--wait follows one run, and --count asks for several',
      'Leave one of them out; `hatchet runs tail` follows all.',
    );
  const output = outputOf(context, flags);
  const { text, from } = await readInput(context, flags);
  const value = checkPayload(text, from);
  checkPayload(JSON.stringify(flags.metadata ?? {}), '--metadata');
  const connection = resolveConnection(context, flags);
  const workflow = nameInNamespace(connection, name);
  const known = await lookUp(connection, workflow);
  checkAgainstSchema(value, { workflow, schema: known.inputJsonSchema });
  const order = { workflow, input: text, metadata: flags.metadata ?? {}, priority: flags.priority };
  if (flags.dryRun === true) {
    output.value(
      {
        dryRun: true,
        workflow,
        input: value,
        metadata: order.metadata,
        priority: order.priority ?? known.defaultPriority,
        count: flags.count,
      },
      () => `${workflow} would be triggered${flags.count > 1 ? ` ${flags.count} times` : ''} at ${connection.address}`,
    );
    return ExitCode.done;
  }
  const admin = new RunAdmin(connection);
  try {
    const runIds = await triggerAll(context, flags.count, () => admin.trigger(order));
    const [runId] = runIds;
    if (runId === undefined) return ExitCode.interrupted;
    if (flags.wait === true) return await waitForRun(context, { runId, flags, output });
    say(output, workflow, runIds);
    return runIds.length < flags.count ? ExitCode.interrupted : ExitCode.done;
  } finally {
    admin.close();
  }
}

function say(output: Output, workflow: string, runIds: readonly string[]): void {
  const [runId] = runIds;
  if (runIds.length === 1) {
    output.value({ runId }, () => runId ?? '');
    output.note(`Triggered ${workflow}. Follow it with \`hatchet runs tail ${runId}\`.`);
    return;
  }
  output.value({ runIds }, () => runIds.join('\n'));
  output.note(`Triggered ${workflow} ${runIds.length} times.`);
}

/** @throws CliError with exit code 4 for an unknown workflow */
async function lookUp(connection: Connection, name: string): Promise<WorkflowDetail> {
  const reader = openReader(connection);
  try {
    return await knownWorkflow(reader, name);
  } finally {
    reader.close();
  }
}

async function triggerAll(context: CliContext, count: number, trigger: () => Promise<string>): Promise<string[]> {
  const runIds: string[] = [];
  const progress = new Progress(context);
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count && !context.interrupted.aborted) {
      started++;
      runIds.push(await trigger());
      progress.say(() => `Triggered ${runIds.length.toLocaleString('en-US')} of ${amount(count, 'run')}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
  } finally {
    progress.end();
  }
  return runIds;
}
