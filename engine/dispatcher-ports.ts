import type { Pool } from 'pg';
import type { DispatcherPorts } from './dispatch/dispatcher.ts';
import { LiveFlag, LiveState } from './model/live-state.ts';
import { readRunPayloads, readTaskErrors, readTaskOutputs } from './monitor/payload-reads.ts';
import type { Owner } from './shard/owner.ts';

/** Connects the session layer to the owner. */
export function dispatcherPorts(owner: Owner, reads: Pool): DispatcherPorts {
  return {
    presence: ({ tenantId, workerId, assignable }) => owner.submit(tenantId, { kind: 'workerPresence', workerId, assignable }),
    workerLost: ({ tenantId, workerId, forget }) => owner.submit(tenantId, { kind: 'workerLost', workerId, forget }),
    cancelSent: (tenantId, { taskId, attempt }) => owner.submit(tenantId, { kind: 'cancelSent', taskId, attempt }),
    returnUnsent: (tenantId, { taskId, attempt }) => owner.submit(tenantId, { kind: 'returnUnsent', taskId, attempt }),
    reassignUnstarted: (tenantId, { taskId, attempt }) => owner.submit(tenantId, { kind: 'reassignUnstarted', taskId, attempt }),
    unstarted: (tenantId, workerId) => {
      const state = owner.stateOf(tenantId);
      const rows = [...(state?.workersById.get(workerId)?.tasks ?? [])];
      if (state === undefined) return [];
      return rows
        .filter((row) => state.tasks.state[row] === LiveState.Running && ((state.tasks.flags[row] ?? 0) & LiveFlag.Started) === 0)
        .map((row) => ({ taskId: state.tasks.id(row), attempt: state.tasks.attempt[row] ?? 0 }));
    },
    readRuns: (runIds) => readRunPayloads(reads, runIds),
    readOutputs: (tasks) => readTaskOutputs(reads, tasks),
    readErrors: (tasks) => readTaskErrors(reads, tasks),
    nowMs: () => Date.now(),
  };
}
