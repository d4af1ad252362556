import type { DispatcherPorts } from '../dispatch/dispatcher.ts';
import type { AwakeClock } from '../base/awake-clock.ts';
import { HatchetError } from '../base/errors.ts';
import { formatDuration } from '../model/time/duration.ts';
import { processLabel } from '../model/task/worker-labels.ts';
import { LiveFlag, LiveState } from '../model/task/live-state.ts';
import { readRunPayloads, readTaskErrors, readTaskInputs, readTaskOutputs } from '../monitor/payload-reads.ts';
import type { Sql } from '../postgres/sql-client.ts';
import type { Owner } from '../shard/owner.ts';

/** Connects the session layer to the owner. */
export function dispatcherPorts(
  owner: Owner,
  dispatchReads: Sql,
  { awake, workerTimeoutMs, mostDeaths }: { awake: AwakeClock; workerTimeoutMs: number; mostDeaths: number },
): DispatcherPorts {
  const silence = `no heartbeat for ${formatDuration(workerTimeoutMs)}`;
  return {
    presence: ({ tenantId, workerId, presence }) =>
      owner.submit({
        kind: 'workerPresence',
        tenantId,
        workerId,
        assignable: presence === 'fit',
        away: presence === 'away',
      }),
    workerLost: ({ tenantId, workerId, forget, connected, processEnd }) =>
      owner.submit({
        kind: 'workerLost',
        tenantId,
        workerId,
        forget,
        connected,
        death: { how: processEnd ?? silence, isCertain: processEnd !== undefined, mostDeaths },
      }),
    workersOfProcess: (tenantId, process) => {
      const state = owner.stateOf(tenantId);
      if (state === undefined)
        throw new HatchetError('NOT_OWNER', 'the engine is taking over what another one had', {
          remedy: 'Try again in a moment.',
        });
      return [...state.workersById.values()]
        .filter((worker) => worker.tenantId === tenantId && worker.labels.get(processLabel) === process)
        .map(({ id }) => id);
    },
    cancelSent: (tenantId, { taskId, attempt }) => owner.submit({ kind: 'cancelSent', tenantId, taskId, attempt }),
    returnUnsent: (tenantId, { taskId, attempt }) => owner.submit({ kind: 'returnUnsent', tenantId, taskId, attempt }),
    reassignUnstarted: (tenantId, { taskId, attempt }) =>
      owner.submit({ kind: 'reassignUnstarted', tenantId, taskId, attempt }),
    unanswered: ({ tenantId, workerId, attempts }) =>
      owner.submit({ kind: 'unanswered', tenantId, workerId, attempts }),
    workerAnswered: ({ tenantId, workerId }) => owner.submit({ kind: 'workerAnswered', tenantId, workerId }),
    workerOf: (tenantId, { taskId, attempt }) => {
      const state = owner.stateOf(tenantId);
      const row = state?.tasks.find(taskId);
      return state === undefined || row === undefined || (attempt !== null && state.tasks.attempt[row] !== attempt)
        ? undefined
        : state.workerOf(row)?.id;
    },
    unstarted: (tenantId, workerId) => {
      const state = owner.stateOf(tenantId);
      const rows = [...(state?.workersById.get(workerId)?.tasks ?? [])];
      if (state === undefined) return [];
      return rows
        .filter(
          (row) =>
            state.tasks.state[row] === LiveState.Running && ((state.tasks.flags[row] ?? 0) & LiveFlag.Started) === 0,
        )
        .map((row) => ({ taskId: state.tasks.id(row), attempt: state.tasks.attempt[row] ?? 0 }));
    },
    readRuns: (runIds) => readRunPayloads(dispatchReads, runIds),
    readOutputs: (tasks) => readTaskOutputs(dispatchReads, tasks),
    readInputs: (tasks) => readTaskInputs(dispatchReads, tasks),
    readErrors: (tasks) => readTaskErrors(dispatchReads, tasks),
    nowMs: () => awake.nowMs(),
    isCatchingUp: () => awake.isCatchingUp(),
  };
}
