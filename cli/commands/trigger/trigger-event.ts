import { pushedEvent } from '../../admin/push-event.ts';
import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { withSdk } from '../../connection/with-sdk.ts';
import { ExitCode } from '../../exit-codes.ts';
import { checkObject } from '../../input/check-input.ts';
import { withReader } from '../../monitor/with-reader.ts';

export interface EventFlags extends ConnectionFlags, OutputFlag {
  data?: string;
  scope?: string;
  metadata?: Record<string, string>;
  priority?: 1 | 2 | 3;
}

/** Pushes an event and names the runs that it started. @throws CliError, HatchetError */
export async function triggerEvent(context: CliContext, key: string, flags: EventFlags): Promise<ExitCode> {
  const payload = checkObject(flags.data ?? '{}', '--data');
  const { scope, priority, metadata } = flags;
  const event = await withReader(context, flags, (reader) =>
    withSdk(context, flags, (hatchet) => pushedEvent(hatchet, reader, { key, payload, scope, priority, metadata })),
  );
  const { runs } = event;
  const output = outputOf(context, flags);
  output.value({ eventId: event.eventId, key: event.key, runs }, () =>
    [event.eventId, ...runs.map(({ runId, workflow }) => `${runId}  ${workflow}`)].join('\n'),
  );
  if (runs.length === 0) output.note('It started no workflow. Tasks that wait for it go on.');
  return ExitCode.done;
}
