import type { CliContext } from '../../cli-context.ts';
import { outputOf, type OutputFlag } from '../../command-host.ts';
import type { ConnectionFlags } from '../../connection/resolve-connection.ts';
import { ExitCode } from '../../exit-code.ts';
import type { WorkerRow } from '../../monitor/run-reader.ts';
import { withReader } from '../../monitor/with-reader.ts';
import { ageText } from '../../output/span-text.ts';
import type { Table } from '../../output/table.ts';

export interface WorkersFlags extends ConnectionFlags, OutputFlag {
  all?: true;
}

const table: Table<WorkerRow> = {
  columns: [
    { title: 'WORKER', cell: (worker) => worker.workerId },
    { title: 'NAME', cell: (worker) => worker.name, max: 40 },
    { title: 'STATUS', cell: (worker) => worker.status },
    { title: 'SLOTS', cell: (worker) => worker.slots.map((slot) => `${slot.used}/${slot.total} ${slot.type}`).join(', ') },
    { title: 'ACTIONS', cell: (worker) => String(worker.actions.length), align: 'right' },
    { title: 'SINCE', cell: (worker) => ageText(worker.registeredAt), align: 'right' },
  ],
  empty: 'No workers. Start one with `hatchet dev` or `hatchet worker start`.',
};

export function listWorkers(context: CliContext, flags: WorkersFlags): Promise<ExitCode> {
  return withReader(context, flags, async (reader) => {
    outputOf(context, flags).list({ rows: await reader.listWorkers({ all: flags.all === true }), next: null }, table);
    return ExitCode.done;
  });
}
