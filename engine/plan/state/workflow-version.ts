import type { StepDefinition, WorkflowDefinition } from '../../model/definition.ts';
import type { ActionQueue } from '../queue/action-queue.ts';
import type { Constraint, Placement } from '../queue/placement.ts';
import type { SlotUse } from '../queue/planner-worker.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** A registered version, with its steps spread into the shard's step table. */
export interface Version {
  tenantId: TenantId;
  workflowId: string;
  versionId: string;
  checksum: string;
  ordinal: number;
  definition: WorkflowDefinition;
  /** Steps whose outputs go into a batch's message. */
  batchParents: ReadonlySet<number>;
  /** Row of its first step in the shard's steps. */
  firstStep: number;
  /** Indices of the steps that wait for each step. */
  children: readonly (readonly number[])[];
}

export interface Step {
  version: Version;
  index: number;
  definition: StepDefinition;
  slots: readonly SlotUse[];
  queue: ActionQueue;
  /** Of its tasks that ask nothing of their own. */
  placement: Placement;
  constraint: Constraint;
}
