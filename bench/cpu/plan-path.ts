/**
 * What a task takes through the planner, as `measure.ts` calls it: the one file that knows the planner's names, so that another
 * version is measured with a file like this one of its own (`cpu-per-task.ts --against <file>`).
 */
import type { StepDefinition, WorkflowDefinition } from '../../engine/model/definition.ts';
import { plainStep, plainWorkflow } from '../../engine/model/definition.ts';
import { transactionQueries } from '../../engine/commit/transaction-queries.ts';
import type { Command } from '../../engine/plan/commands/command.ts';
import { planCommand } from '../../engine/plan/commands/command.ts';
import { noFacts } from '../../engine/plan/commands/loaded-facts.ts';
import { settle } from '../../engine/plan/settle/settle-tenants.ts';
import { ChangeSet } from '../../engine/plan/state/change-set.ts';
import { joinStarts } from '../../engine/plan/state/join-starts.ts';
import { collectLive, settleRows } from '../../engine/plan/state/live-rows.ts';
import { ShardState } from '../../engine/plan/state/shard-state.ts';
import { shardSteps } from '../../engine/shard/plan-transaction.ts';
import type { TenantId } from '../../engine/model/ids/tenant-id.ts';
import { tellQueuedByRuns } from '../../engine/plan/state/queued-by-runs.ts';

interface Ids {
  tenantId: TenantId;
  workflowId: string;
  versionId: string;
}

function definition(parents: readonly number[][]): WorkflowDefinition {
  const steps = parents.map((each, index): StepDefinition => ({
    name: `s${index}`,
    action: `wf:s${index}`,
    parents: each,
    retries: 0,
    backoffFactor: null,
    backoffMaxSeconds: null,
    executionTimeoutMs: 60_000,
    scheduleTimeoutMs: 300_000,
    slots: { default: 1 },
    durable: false,
    ...plainStep,
  }));
  return { name: 'wf', description: '', defaultPriority: 1, inputJsonSchema: null, steps, ...plainWorkflow };
}

export const commands = {
  putWorkflow: (ids: Ids, parents: readonly number[][]): Command => ({
    kind: 'putWorkflow',
    ...ids,
    definition: definition(parents),
    checksum: '1',
    filterIds: [],
    crons: [],
  }),
  registerWorker: (tenantId: TenantId, workerId: string, actions: readonly string[], slots: number): Command => ({
    kind: 'registerWorker',
    tenantId,
    workerId,
    name: 'w',
    actions,
    slots: { default: slots },
    labels: {},
    runtime: {},
  }),
  present: (workerId: string, tenantId: TenantId): Command => ({
    kind: 'workerPresence',
    tenantId,
    workerId,
    assignable: true,
  }),
  trigger: ({ tenantId, versionId }: Ids, runId: string, taskIds: readonly string[], input: string): Command => {
    const run = {
      runId,
      taskIds,
      versionId,
      input,
      metadata: '{}',
      priority: 1,
      parentTaskId: null,
      childIndex: null,
      childKey: null,
      filterPayload: null,
      placement: null,
      idempotency: null,
      ownId: false,
      earlierIds: [],
      demands: null,
    };
    return { kind: 'trigger', tenantId, runs: [run] };
  },
  started: (tenantId: TenantId, taskId: string, attempt: number): Command => ({
    kind: 'started',
    tenantId,
    taskId,
    attempt,
  }),
  completed: (tenantId: TenantId, taskId: string, attempt: number, output: string): Command => ({
    kind: 'completed',
    tenantId,
    taskId,
    attempt,
    output,
  }),
};

export class PlanPath {
  readonly #state = new ShardState({ id: 0, epoch: 1, lastTransaction: 0, seq: 0, lostUs: 0 });
  #nowUs = 1_800_000_000_000_000;
  #transactions = 0;

  /** One transaction's commands, what they lead to, and its rows of `live`. As the owner has it, with a mark before each. */
  plan(list: readonly Command[]): ChangeSet {
    this.#nowUs += 1000;
    const changes = new ChangeSet();
    const plan = { state: this.#state, nowUs: this.#nowUs, changes };
    const marks: number[] = [];
    for (const command of list) {
      this.#state.undo.mark();
      changes.mark(marks);
      planCommand(plan, command, noFacts);
    }
    settle([plan]);
    collectLive(plan);
    joinStarts(changes.history);
    tellQueuedByRuns(changes);
    return changes;
  }

  /** The transaction's statements. @returns the bytes of their parameters, which writing them asks for too */
  parameters(changes: ChangeSet): number {
    const queries = transactionQueries(shardSteps([this.#state]), ++this.#transactions, changes, new Map());
    return queries.reduce(
      (sum, query) =>
        sum +
        ('lines' in query
          ? Buffer.byteLength(query.lines)
          : query.values.reduce((bytes, value) => bytes + Buffer.byteLength(value ?? ''), 0)),
      0,
    );
  }

  /** After the commit. @returns what workers are sent */
  committed(changes: ChangeSet): { taskId: string; attempt: number }[] {
    settleRows(this.#state);
    return changes.effects.flatMap((effect) => (effect.kind === 'dispatch' ? [effect] : []));
  }
}
