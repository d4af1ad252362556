import type { ConcurrencyDemand, Demands } from '../../model/task/demands.ts';
import type { Constraint } from '../queue/placement.ts';
import type { ConcurrencyGroup } from '../concurrency/concurrency-group.ts';
import type { TenantId } from '../../model/ids/tenant-id.ts';

/** What several tasks of a tenant ask for in the same words: 10,000 that wait for one key differ in nothing. */
export interface SharedDemands {
  readonly tenantId: TenantId;
  readonly demands: Demands;
  /** The demands as JSON. */
  readonly text: string;
  readonly turnKey: string;
  /** Of the links for a run, and for a task. */
  groups: Record<ConcurrencyDemand['level'], readonly ConcurrencyGroup[] | undefined>;
  /** Where and when a task that asks for them may start; of the step that was asked last. */
  constraint: { step: object; constraint: Constraint } | undefined;
  /** Tasks that ask for them. */
  uses: number;
}
