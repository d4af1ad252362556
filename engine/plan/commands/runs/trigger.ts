import type { Collision, TriggerRun } from '../../../model/task/trigger-run.ts';
import { isKnownRun, startRun } from '../../lifecycle/start-run.ts';
import type { Plan } from '../../state/plan.ts';
import type { Facts } from '../loaded-facts.ts';
import { inParts, tasksOf, visitRun, type Kind } from '../command-kind.ts';
import type { TenantId } from '../../../model/ids/tenant-id.ts';

/** Runs to start. The ids that a caller chose may exist already. */
export interface TriggerCommand {
  kind: 'trigger';
  tenantId: TenantId;
  runs: readonly TriggerRun[];
}
export interface TriggerReply {
  /** Those that exist now. */
  runIds: readonly string[];
  /** Those that were not made: other runs hold their keys. */
  collisions: readonly Collision[];
}

export const trigger: Kind<TriggerCommand, TriggerReply> = {
  makesRowsOf: ({ tenantId }) => tenantId,
  needs: ({ runs }, { isUncertain }) => ({
    runIds: runs.filter((run) => run.ownId || isUncertain).map((run) => run.runId),
    reusableRunIds: runs.flatMap((run) => run.earlierIds),
  }),
  startsRuns: ({ runs }) => runs,
  payloads({ runs }, visit) {
    for (const run of runs) visitRun(run, visit);
  },
  weight: ({ runs }) => tasksOf(runs),
  split: {
    into: (command) => inParts(command.runs, (run) => run.taskIds.length).map((runs) => ({ ...command, runs })),
    join: (replies) => ({
      runIds: replies.flatMap(({ runIds }) => runIds),
      collisions: replies.flatMap(({ collisions }) => collisions),
    }),
  },
  plan: start,
};

function start(plan: Plan, command: TriggerCommand, facts: Facts): TriggerReply {
  const runIds: string[] = [];
  const collisions: Collision[] = [];
  for (const run of command.runs) {
    const known = [run.runId, ...run.earlierIds].find((id) => isKnownRun(plan, facts.storedIds, id));
    const collision = known === undefined ? startRun(plan, command.tenantId, run) : undefined;
    if (collision === undefined) runIds.push(known ?? run.runId);
    else collisions.push(collision);
  }
  return { runIds, collisions };
}
