import type { WorkflowDefinition } from '../../engine/model/definition.ts';
import { Client } from 'pg';
import { systemClock, type Clock } from '../../engine/base/clock.ts';
import { createLog, type Logger } from '../../engine/base/log.ts';
import type { HistoryRow } from '../../engine/model/stored-rows.ts';
import { newId } from '../../engine/model/ids/uuid.ts';
import type { Effect } from '../../engine/model/task/effect.ts';
import type { StepDemands } from '../../engine/model/task/trigger-run.ts';
import { connectionConfig } from '../../engine/postgres/connect.ts';
import type { WakingLimits } from '../../engine/plan/state/waking-limits.ts';
import { Owner } from '../../engine/shard/owner.ts';
import type { OwnerEvents } from '../../engine/shard/owner-events.ts';
import { stepOf, workflowOf } from './planner-world.ts';
import { newTenantId, type TenantId } from '../../engine/model/ids/tenant-id.ts';

export interface OwnerWorldOptions {
  tenantId?: TenantId;
  clock?: Clock;
  log?: Logger;
  timersDue?: OwnerEvents['timersDue'];
  wakingLimits?: WakingLimits;
  /** Called with every commit, before the world takes it in. */
  committed?: () => void;
}

/** A running owner on a test database, with a tenant and a one-step workflow, and what it let out. */
export class OwnerWorld {
  readonly owner: Owner;
  readonly tenantId: TenantId;
  readonly effects: Effect[] = [];
  readonly history: HistoryRow[] = [];

  private constructor(url: string, tenantId: TenantId, options: OwnerWorldOptions) {
    this.tenantId = tenantId;
    this.owner = new Owner({
      config: connectionConfig(url, 'test lane'),
      clock: options.clock ?? systemClock,
      log: options.log ?? createLog('silent'),
      wakingLimits: options.wakingLimits,
      events: {
        committed: (effects, history) => {
          options.committed?.();
          this.effects.push(...effects);
          this.history.push(...history);
        },
        timersDue: (state, nowUs) => options.timersDue?.(state, nowUs),
        recovered: () => undefined,
        lost: () => undefined,
        moved: () => undefined,
        dispatched: async () => undefined,
      },
    });
  }

  static async start(url: string, options: OwnerWorldOptions = {}): Promise<OwnerWorld> {
    const world = await OwnerWorld.make(url, options);
    await world.owner.start();
    return world;
  }

  /** Its owner is not started yet. */
  static async make(url: string, options: OwnerWorldOptions = {}): Promise<OwnerWorld> {
    const tenantId = options.tenantId ?? newTenantId();
    if (options.tenantId === undefined) await insertTenant(url, tenantId);
    return new OwnerWorld(url, tenantId, options);
  }

  /** How many shards it serves. */
  get shards(): number {
    return [...this.owner.states].length;
  }

  async put(retries = 0, tenantId = this.tenantId): Promise<void> {
    await this.define(workflowOf('single', [stepOf('one', { retries })]), { checksum: `c${retries}`, tenantId });
  }

  async define(
    definition: WorkflowDefinition,
    { checksum = definition.name, tenantId = this.tenantId }: { checksum?: string; tenantId?: TenantId } = {},
  ): Promise<void> {
    await this.owner.submit({
      kind: 'putWorkflow',
      tenantId,
      definition,
      checksum,
      workflowId: newId(),
      versionId: newId(),
      filterIds: [],
      crons: [],
    });
  }

  async register(slots: number | Record<string, number> = 1000, actions = ['wf:one']): Promise<string> {
    const workerId = newId();
    await this.owner.submit({
      kind: 'registerWorker',
      tenantId: this.tenantId,
      workerId,
      name: 'w',
      actions,
      slots: typeof slots === 'number' ? { default: slots } : slots,
      labels: {},
      runtime: {},
    });
    await this.present(workerId);
    return workerId;
  }

  async present(workerId: string): Promise<void> {
    await this.owner.submit({ kind: 'workerPresence', tenantId: this.tenantId, workerId, assignable: true });
  }

  async trigger(
    options: {
      input?: string;
      runId?: string;
      tenantId?: TenantId;
      versionId?: string;
      taskIds?: string[];
      demands?: StepDemands[];
    } = {},
  ): Promise<string> {
    const tenantId = options.tenantId ?? this.tenantId;
    const versionId = options.versionId ?? this.owner.stateOf(tenantId)?.latestVersion(tenantId, 'single')?.versionId;
    if (versionId === undefined) throw new Error('put the workflow first');
    const runId = options.runId ?? newId();
    const run = {
      runId,
      taskIds: options.taskIds ?? [runId],
      versionId,
      input: options.input ?? '{}',
      metadata: '{}',
      priority: 1,
      parentTaskId: null,
      childIndex: null,
      childKey: null,
      filterPayload: null,
      placement: null,
      idempotency: null,
      ownId: options.runId !== undefined,
      earlierIds: [],
      demands: options.demands ?? null,
    };
    await this.owner.submit({ kind: 'trigger', tenantId, runs: [run] });
    return runId;
  }

  complete(taskId: string, attempt = 0, output = '{}'): Promise<void> {
    return this.owner.submit({ kind: 'completed', tenantId: this.tenantId, taskId, attempt, output });
  }

  /** This tenant's tasks in memory, sorted; another test's tenant may share the shard. */
  memory(): string[] {
    const state = this.owner.stateOf(this.tenantId);
    if (state === undefined) return [];
    const { tasks } = state;
    const own = [...tasks.rows()].filter((row) => state.stepOf(row).version.tenantId === this.tenantId);
    return own.map((row) => `${tasks.id(row)} ${tasks.state[row]} ${tasks.flags[row]} ${tasks.attempt[row]}`).sort();
  }
}

export async function insertTenant(url: string, tenantId: TenantId): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('INSERT INTO tenant (id, name) VALUES ($1, $2)', [tenantId, tenantId]);
  await client.end();
}

/** The same picture as `memory()`, from the table. */
export async function liveRows(client: Client, tenantId: TenantId): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `SELECT format('%s %s %s %s', task_id, state, flags, attempt) AS line FROM live WHERE tenant_id = $1`,
    [tenantId],
  );
  return rows.map((row) => row.line).sort();
}
