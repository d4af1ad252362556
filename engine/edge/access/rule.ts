import type { Permission } from '../../auth/role.ts';

/** What the edge does around a call, whatever it is about. */
export interface CallRule {
  needs: Permission;
  /**
   * `read` changes nothing. `report` is what a worker says of its tasks and of itself: not audited, and never slowed down,
   * since its tasks would hang. `start` makes runs: audited, without holding up the answer. `change`: audited before the answer.
   */
  kind: 'read' | 'report' | 'start' | 'change';
  /** A stream whose request says all that there is to say: where its shard goes to another engine, it goes on there, and its client sees nothing of it. */
  beginsAgain?: true;
}

export const reads: CallRule = { needs: 'read', kind: 'read' };
/** A worker's stream. */
export const listens: CallRule = { needs: 'work', kind: 'report', beginsAgain: true };
export const reports: CallRule = { needs: 'work', kind: 'report' };
export const starts: CallRule = { needs: 'trigger', kind: 'start' };
/** Of runs and definitions, by whoever serves them. */
export const operates: CallRule = { needs: 'work', kind: 'change' };
export const administers: CallRule = { needs: 'admin', kind: 'change' };
export const open: CallRule = { needs: 'anyone', kind: 'read' };
